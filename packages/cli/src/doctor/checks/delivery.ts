import type { Check } from "../check.ts";
import { ok, wrong } from "../finding.ts";
import { UNBUFFERED } from "../fixes.ts";
import { NoAnswer, summary } from "../requests.ts";
import { PollingSession } from "../target.ts";

/** Longer than any network takes, in ms. */
const LATE = 2_000;
/** The poll has reached the server by then, in ms. */
const HEAD_START = 150;

/** A pending poll is answered as soon as the server has something: here because the session ends. */
export const delivery: Check = {
  name: "delivery",
  needs: ["sticky sessions"],
  async run(target) {
    const session = await PollingSession.open(target);
    if (!(session instanceof PollingSession))
      return wrong(summary(session), "The server refuses a second handshake.");
    const poll = session.poll().then(
      (answer) => ({ answer, at: performance.now() }),
      (error: unknown) => error,
    );
    await new Promise((resolve) => setTimeout(resolve, HEAD_START));
    const begin = performance.now();
    await session.end();
    const answered = await poll;
    if (answered instanceof NoAnswer)
      return wrong(
        `a pending poll: ${answered.message}`,
        "Something between the server and its clients holds answers back.",
        UNBUFFERED,
      );
    const { answer, at } = answered as { answer: { status: number }; at: number };
    const took = Math.max(0, Math.round(at - begin));
    if (answer.status !== 200)
      return wrong(`a pending poll: ${answer.status}`, "A proxy does not leave polls pending.", UNBUFFERED);
    if (took > LATE)
      return wrong(
        `a pending poll was answered after ${took} ms`,
        "Something between the server and its clients holds answers back.",
        UNBUFFERED,
      );
    return ok(`a pending poll is answered at once (${took} ms)`);
  },
};
