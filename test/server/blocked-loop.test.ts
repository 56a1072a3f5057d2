import assert from "node:assert/strict";
import { block, OtherThread } from "../support/process/blocked-loop.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { rawPair } from "../support/server/wires.ts";

/** In ms: long enough for a question to arrive on a busy machine. */
const TIMEOUT = 250;

onEveryHost(
  "server: an event loop that was blocked for longer than the timeout of an ack",
  serverHosts,
  (host) => {
    it("reads a WebSocket's ack before it times out", async () => {
      await using running = await host.start();
      const { wire, socket } = await rawPair(running);
      const answer = socket.timeout(TIMEOUT).emitWithAck("question");
      assert.equal(await wire.next(), '420["question"]');
      wire.sendText('430["answer"]');
      block(2 * TIMEOUT);
      assert.equal(await answer, "answer");
    });

    it("reads a polling client's ack on a new connection before it times out", async () => {
      await using running = await host.start();
      await using thread = await OtherThread.start();
      const path = "/socket.io/?EIO=4&transport=polling";
      const open = await (await fetch(running.url + path)).text();
      const { sid } = JSON.parse(open.slice(1)) as { sid: string };
      const own = `${path}&sid=${sid}`;
      const connection = next(running.io, "connection");
      await fetch(running.url + own, { method: "POST", body: "40" });
      const [socket] = (await connection) as [Socket];
      assert.match(await (await fetch(running.url + own)).text(), /^40/);
      const answer = socket.timeout(TIMEOUT).emitWithAck("question");
      assert.equal(await (await fetch(running.url + own)).text(), '420["question"]');
      thread.postWhileBlocked(running.port, own, '430["answer"]', 2 * TIMEOUT);
      assert.equal(await answer, "answer");
    });

    it("still times out an ack that does not arrive", async () => {
      await using running = await host.start();
      const { wire, socket } = await rawPair(running);
      const answer = socket.timeout(TIMEOUT).emitWithAck("question");
      const rejected = assert.rejects(answer, { message: "operation has timed out" });
      assert.equal(await wire.next(), '420["question"]');
      block(2 * TIMEOUT);
      await rejected;
    });
  },
);
