// With an AsyncLocalStorage around each handshake: the contexts of events that no packet causes.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { collect } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ServerOptions } from "../support/server/socketio.ts";
import { rawSession } from "../support/server/wires.ts";

/** Numbers of handshakes, in order. */
const handshakes = new AsyncLocalStorage<number>();

function inContexts(options: Partial<ServerOptions>): Partial<ServerOptions> {
  let count = 0;
  return {
    ...options,
    allowRequest: (_req, decide) => handshakes.run(++count, () => decide(null, true)),
  };
}

onEveryHost("async contexts", serverHosts, (host) => {
  it("a ping timeout: disconnect, in the context of each client's handshake", async () => {
    await using running = await host.start(inContexts({ pingInterval: 200, pingTimeout: 200 }));
    const found: string[] = [];
    running.io.on("connection", (socket) => {
      socket.on("disconnect", (reason) => {
        assert.equal(reason, "ping timeout");
        found.push(String(handshakes.getStore()));
        running.io.engine.emit("found");
      });
    });
    const all = collect(running.io.engine, "found", 2);
    for (const _ of [1, 2]) (await rawSession(running)).sendText("40");
    await all;
    assert.deepEqual(found.toSorted(), ["1", "2"]);
  });

  it("a client that joins no namespace in time: close, in the context of its handshake", async () => {
    await using running = await host.start(inContexts({ connectTimeout: 200 }));
    const found: string[] = [];
    running.io.engine.on("connection", (conn: NodeJS.EventEmitter) => {
      conn.on("close", () => {
        found.push(String(handshakes.getStore()));
        running.io.engine.emit("found");
      });
    });
    const all = collect(running.io.engine, "found", 2);
    await rawSession(running);
    await rawSession(running);
    await all;
    assert.deepEqual(found.toSorted(), ["1", "2"]);
  });
});
