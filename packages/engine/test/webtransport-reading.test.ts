import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { Engine } from "../src/engine.ts";
import type { Session } from "../src/session/session.ts";
import type { WebTransportSession } from "../src/transport/webtransport-session.ts";

const TOTAL = 1_000_000;

/** A session whose client has sent an open packet, and then messages without end. Its stream takes everything. */
function flooding(counts: { read: number }): WebTransportSession {
  const never = new Promise<never>(() => {});
  const chunks = [Buffer.from("\x010")];
  const message = Buffer.from("\x034hi");
  const reader = {
    async read() {
      const value = chunks.shift() ?? message;
      return counts.read++ < TOTAL ? { done: false, value } : never;
    },
  };
  const writer = {
    desiredSize: 1,
    ready: Promise.resolve(),
    write: () => Promise.resolve(),
    close: () => never,
  };
  const stream = { readable: { getReader: () => reader }, writable: { getWriter: () => writer } };
  const streams = [{ done: false, value: stream }];
  return {
    incomingBidirectionalStreams: {
      getReader: () => ({ read: async () => streams.shift() ?? never }),
    },
    closed: never,
    close() {},
  };
}

describe("a WebTransport stream that always has more", () => {
  for (const [what, closes] of [
    ["of an open session", false],
    ["of one that the server has closed", true],
  ] as const) {
    it(`lets the event loop turn: ${what}`, async () => {
      const engine = new Engine();
      const counts = { read: 0 };
      const connection = once(engine, "connection") as Promise<[Session]>;
      if (closes) engine.on("connection", (session: Session) => session.close());
      void engine.onWebTransportSession(flooding(counts));
      await connection;
      await turn();
      assert.ok(counts.read < TOTAL, "all of it was read within a turn");
      engine.close();
    });
  }
});
