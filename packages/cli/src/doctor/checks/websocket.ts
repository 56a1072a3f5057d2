import type { Check } from "../check.ts";
import { note, ok, wrong } from "../finding.ts";
import type { Finding } from "../finding.ts";
import { HTTP_1_1, STICKY, UNBUFFERED, UPGRADE } from "../fixes.ts";
import { NoAnswer, refusalIn, summary } from "../requests.ts";
import { handshakeIn, PollingSession } from "../target.ts";
import type { Query, Target } from "../target.ts";
import { Refused } from "../websocket.ts";
import type { Wire } from "../websocket.ts";

const SILENT = "The handshake succeeds, but no message comes through: something holds the frames back.";

/** A session that begins with a WebSocket. */
export const websocket: Check = {
  name: "WebSocket",
  needs: ["path"],
  run: (target) =>
    overWebSocket(target, {}, async (wire) => {
      const handshake = handshakeIn(await wire.next(target.options.timeout));
      if (handshake === undefined) return wrong("no handshake", "Something else than Socket.IO answers.");
      target.handshake ??= handshake;
      return ok("opened, and got its handshake");
    }),
};

/** A session that begins with long-polling and goes on over a WebSocket, as that of a client with its usual options. */
export const upgrade: Check = {
  name: "upgrade",
  needs: ["sticky sessions", "WebSocket"],
  async run(target) {
    const session = await PollingSession.open(target);
    if (!(session instanceof PollingSession))
      return wrong(summary(session), "The server refuses a second handshake.");
    const { sid, upgrades } = session.handshake;
    if (!upgrades.includes("websocket")) {
      await session.end();
      return note("not offered", "The server does not offer the upgrade (allowUpgrades, transports).", [
        { where: "application", lines: ["new Server({ allowUpgrades: true })"] },
      ]);
    }
    const begin = performance.now();
    return overWebSocket(
      target,
      { sid },
      async (wire) => {
        wire.send("2probe");
        const answer = await wire.next(target.options.timeout);
        if (answer !== "3probe")
          return wrong(`the probe got ${answer}`, "The server does not answer as protocol 4 asks it to.");
        const poll = session.poll();
        wire.send("5");
        await poll;
        return ok(`from long-polling, in ${Math.round(performance.now() - begin)} ms`);
      },
      () => session.end(),
    );
  },
};

/**
 * Opens a WebSocket, and closes it after use.
 *
 * @param onRefused - called if it cannot be opened
 */
async function overWebSocket(
  target: Target,
  query: Query,
  use: (wire: Wire) => Promise<Finding>,
  onRefused: () => Promise<void> = () => Promise.resolve(),
): Promise<Finding> {
  let wire: Wire;
  try {
    wire = await target.openWebSocket(query);
  } catch (error) {
    await onRefused();
    return explain(error);
  }
  try {
    return await use(wire);
  } catch (error) {
    if (error instanceof NoAnswer) return wrong(error.message, SILENT, UNBUFFERED);
    throw error;
  } finally {
    await wire.close();
  }
}

function explain(error: unknown): Finding {
  if (error instanceof NoAnswer) return wrong(error.message, "No WebSocket can be opened.", UPGRADE);
  if (!(error instanceof Refused)) throw error;
  const { answer } = error;
  const found = summary(answer);
  const refusal = refusalIn(answer);
  if (refusal?.code === 0)
    return note(found, "The server does not offer WebSocket.", [
      { where: "application", lines: ['new Server({ transports: ["polling", "websocket"] })'] },
    ]);
  if (refusal?.code === 1)
    return wrong(found, "The WebSocket reaches another server than the session.", STICKY);
  if (answer.status === 401 || answer.status === 403)
    return wrong(
      found,
      "The application refuses the handshake (allowRequest), or a proxy or a firewall does.",
    );
  if (answer.status === 505) return wrong(found, "A proxy speaks HTTP/1.0 to uWebSockets.js.", HTTP_1_1);
  if (answer.status >= 502 && answer.status <= 504)
    return wrong(found, "The proxy does not get a WebSocket from the server.", UPGRADE);
  if (answer.status === 429 || answer.status >= 500)
    return wrong(found, "The server, or a proxy, refuses the handshake.");
  return wrong(
    found,
    "The request arrives as an ordinary one: a proxy does not pass the Upgrade header on.",
    UPGRADE,
  );
}
