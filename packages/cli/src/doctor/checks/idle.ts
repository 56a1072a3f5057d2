import type { Check } from "../check.ts";
import { note, ok, skipped, wrong } from "../finding.ts";
import type { Finding } from "../finding.ts";
import { longerTimeout, UNBUFFERED } from "../fixes.ts";
import { NoAnswer, summary } from "../requests.ts";
import { handshakeIn, PollingSession } from "../target.ts";

/** How much longer than the time between two pings a proxy should wait. */
const MARGIN = 2;
const UNHEARD = "The ping of the server does not arrive: something holds it back.";

/** A WebSocket without traffic, until the server sends its ping. */
export const idleWebSocket: Check = {
  name: "idle WebSocket",
  needs: ["WebSocket"],
  isLong: true,
  async run(target) {
    const { hold, timeout } = target.options;
    if (hold === 0) return skipped("--hold 0");
    const wire = await target.openWebSocket({});
    const begin = performance.now();
    try {
      const { pingInterval } = handshakeIn(await wire.next(timeout)) ?? { pingInterval: 0 };
      const isWhole = pingInterval <= hold;
      const message = await wire.next(isWhole ? pingInterval + timeout : hold);
      if (message !== "2") return note(`got ${message}`, "The server sends something else than a ping.");
      wire.send("3");
      return ok(`ping after ${seconds(begin)} s, pong sent`);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      const held = performance.now() - begin;
      const { pingInterval = 0 } = target.handshake ?? {};
      if (!error.isClosed && held >= hold - 100 && pingInterval > hold)
        return ok(`idle for ${seconds(begin)} s`);
      if (!error.isClosed) return wrong(error.message, UNHEARD, UNBUFFERED);
      return tooShort(`closed after ${seconds(begin)} s without traffic`, pingInterval);
    } finally {
      await wire.close();
    }
  },
};

/** A poll that stays pending until the server sends its ping. */
export const idlePoll: Check = {
  name: "idle poll",
  needs: ["sticky sessions"],
  isLong: true,
  async run(target) {
    const { hold, timeout } = target.options;
    if (hold === 0) return skipped("--hold 0");
    const session = await PollingSession.open(target);
    if (!(session instanceof PollingSession))
      return wrong(summary(session), "The server refuses a second handshake.");
    const { pingInterval } = session.handshake;
    const isWhole = pingInterval <= hold;
    const begin = performance.now();
    try {
      const answer = await session.poll(isWhole ? pingInterval + timeout : hold);
      if (answer.status === 200) return ok(`ping after ${seconds(begin)} s`);
      return tooShort(`${summary(answer)} after ${seconds(begin)} s`, pingInterval);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (error.isClosed) return tooShort(`closed after ${seconds(begin)} s`, pingInterval);
      if (!isWhole) return ok(`held for ${seconds(begin)} s`);
      return wrong(error.message, UNHEARD, UNBUFFERED);
    } finally {
      await session.end();
    }
  },
};

function tooShort(found: string, pingInterval: number): Finding {
  return wrong(
    found,
    `A proxy gives up before the server sends its ping (pingInterval ${pingInterval} ms).`,
    longerTimeout(Math.max(60, Math.ceil((pingInterval / 1000) * MARGIN))),
  );
}

function seconds(begin: number): string {
  return ((performance.now() - begin) / 1000).toFixed(1);
}
