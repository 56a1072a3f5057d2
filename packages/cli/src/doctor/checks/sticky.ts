import type { Check } from "../check.ts";
import { note, ok, wrong } from "../finding.ts";
import type { Finding } from "../finding.ts";
import { STICKY } from "../fixes.ts";
import { refusalIn, summary } from "../requests.ts";
import { isUnknownSession, PollingSession } from "../target.ts";
import type { Target } from "../target.ts";

const REQUESTS = 8;
/** A packet that both servers and clients ignore. */
const NOOP = "6";

/** Requests of one session, each over a connection of its own: with cookies as a browser sends them, and without. */
export const sticky: Check = {
  name: "sticky sessions",
  needs: ["polling"],
  async run(target) {
    const withCookies = await lose(target, {});
    if (withCookies !== undefined) return withCookies;
    const found = `${REQUESTS} requests of a session reached its server`;
    if (target.cookies.size === 0) return ok(found);
    const without = await lose(target, { cookie: "" });
    if (without === undefined) return ok(`${found}, also without cookies`);
    return note(
      `${found}, but only with the cookies ${[...target.cookies.keys()].join(", ")}`,
      "Clients that keep no cookies, such as those on pages of other origins, lose their sessions.",
      [{ where: "application", lines: ["io(url, { withCredentials: true }) // in the client"] }],
    );
  },
};

async function lose(target: Target, headers: Readonly<Record<string, string>>): Promise<Finding | undefined> {
  const session = await PollingSession.open(target);
  if (!(session instanceof PollingSession))
    return wrong(summary(session), "The server refuses a second handshake.");
  let lost = 0;
  for (let count = 0; count < REQUESTS; count++) {
    const answer = await session.post(NOOP, headers);
    if (isUnknownSession(answer)) lost++;
    else if (answer.status !== 200) {
      await session.end();
      const text =
        refusalIn(answer)?.message ?? "The body does not arrive as it was sent, or POST is not allowed.";
      return wrong(`POST: ${summary(answer)}`, `The server does not take a POST of its session: ${text}`);
    }
  }
  // While requests are lost, several may be needed until one reaches the session.
  for (let tries = 0; tries < (lost === 0 ? 1 : REQUESTS); tries++) await session.end();
  if (lost === 0) return undefined;
  return wrong(
    `${lost} of ${REQUESTS} requests: Session ID unknown`,
    "The requests of one session reach servers that do not know each other.",
    STICKY,
  );
}
