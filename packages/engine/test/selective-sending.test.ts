import assert from "node:assert/strict";
import { Engine, internals, MemoryHost, Message } from "@tidewire/engine";
import type { MemoryWebSocket, Session } from "@tidewire/engine";
import { DrivenLoop } from "./driven-loop.ts";

const LIMIT = 10_000;
/** What each waiting packet counts for, beside its bytes. */
const OVERHEAD = 128;

interface Stalled {
  readonly loop: DrivenLoop;
  readonly client: MemoryWebSocket;
  readonly session: Session;
  readonly received: (string | Buffer)[];
}

/** A session whose client does not read, with a first packet on the way to it, and one that waits. */
async function stalled(): Promise<Stalled> {
  const loop = new DrivenLoop();
  const host = new MemoryHost();
  const engine = new Engine({ maxBackpressure: LIMIT }, loop).attachHost(host);
  const connected = new Promise<Session>((resolve) => engine.once("connection", resolve));
  const client = await host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
  const session = await connected;
  loop.tick();
  const received: (string | Buffer)[] = [];
  client.onmessage = (data) => received.push(data);
  received.length = 0;
  client.pause();
  for (const text of ["on the way", "oldest"]) {
    session.send(text);
    loop.tick();
    loop.tick();
  }
  return { loop, client, session, received };
}

describe("sendDroppable()", () => {
  for (const over of [1, 50, 100, 200])
    it(`sends no attachment of an event that was dropped, when ${over} bytes more than the limit wait`, async () => {
      const { loop, client, session, received } = await stalled();
      session.send("x".repeat(LIMIT + over - OVERHEAD));
      loop.tick();
      loop.tick();
      internals.sendDroppable(session, [new Message("event"), new Message(Buffer.from([1]))]);
      loop.tick();
      client.resume();
      loop.tick();
      const tail = received.filter((data) => data === "4event" || typeof data !== "string");
      assert.deepEqual(tail, []);
    });
});
