import assert from "node:assert/strict";
import { officialParser } from "../support/server/parsers.ts";
import { back, heardBy, lost } from "../support/server/recovery.ts";
import { collect } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { pair, transports } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import type { StartedServer } from "../support/server/started-server.ts";

const mode = transports.websocket;

async function three(running: StartedServer): Promise<Pair[]> {
  return [await pair(running, mode), await pair(running, mode), await pair(running, mode)];
}

onEveryHost("a buffer that the application reuses", serverHostsAndApp, (host) => {
  it("is emitted with its content of each tick", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, mode);
    const counter = Buffer.alloc(1);
    for (let count = 1; count <= 3; count++) {
      const heard = collect(client, "count", 1);
      counter[0] = count;
      socket.emit("count", counter);
      assert.deepEqual(await heard, [[Buffer.from([count])]]);
    }
  });

  it("is emitted with its content at the time, several times within a tick", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, mode);
    const heard = collect(client, "count", 2);
    const counter = Buffer.from([1]);
    socket.emit("count", counter, { counter });
    counter[0] = 2;
    socket.emit("count", counter, { counter });
    const [one, two] = [Buffer.from([1]), Buffer.from([2])];
    assert.deepEqual(await heard, [
      [one, { counter: one }],
      [two, { counter: two }],
    ]);
  });

  it("reaches each client with its own content", async () => {
    await using running = await host.start();
    const pairs = await three(running);
    const heard = Promise.all(pairs.map(({ client }) => collect(client, "state", 1)));
    const state = Buffer.alloc(1);
    pairs.forEach(({ socket }, index) => {
      state[0] = index + 1;
      socket.emit("state", state);
    });
    assert.deepEqual(await heard, [[[Buffer.from([1])]], [[Buffer.from([2])]], [[Buffer.from([3])]]]);
  });

  it("is broadcast with its content at the time, several times within a tick", async () => {
    await using running = await host.start();
    const pairs = await three(running);
    const heard = Promise.all(pairs.map(({ client }) => collect(client, "count", 3)));
    const counter = Buffer.alloc(1);
    for (let count = 1; count <= 3; count++) {
      counter[0] = count;
      running.io.emit("count", counter);
    }
    const counts = [[Buffer.from([1])], [Buffer.from([2])], [Buffer.from([3])]];
    assert.deepEqual(await heard, [counts, counts, counts]);
  });

  it("is broadcast by a listener with its content at the time, to its own client and to others", async () => {
    await using running = await host.start();
    const pairs = await three(running);
    const heard = Promise.all(pairs.map(({ client }) => collect(client, "count", 2)));
    const { client, socket } = pairs[1]!;
    socket.on("go", () => {
      const counter = Buffer.from([1]);
      running.io.emit("count", counter);
      counter[0] = 2;
      running.io.emit("count", counter);
    });
    client.emit("go");
    const counts = [[Buffer.from([1])], [Buffer.from([2])]];
    assert.deepEqual(await heard, [counts, counts, counts]);
  });

  it("is what a parser encodes into: one array for all packets", async () => {
    const encoder = new officialParser.Encoder();
    const encoded: (string | Buffer)[] = [];
    const parser = {
      Decoder: officialParser.Decoder,
      Encoder: class {
        encode(packet: unknown): unknown[] {
          encoded.splice(0, encoded.length, ...(encoder.encode(packet as never) as (string | Buffer)[]));
          return encoded;
        }
      },
    };
    await using running = await host.start({ parser });
    const pairs = await three(running);
    const heard = Promise.all(pairs.map(({ client }) => collect(client, "count", 3)));
    running.io.emit("count", 1);
    running.io.emit("count", 2);
    await new Promise(setImmediate);
    running.io.emit("count", 3);
    assert.deepEqual(await heard, [
      [[1], [2], [3]],
      [[1], [2], [3]],
      [[1], [2], [3]],
    ]);
  });

  it("is missed and recovered with its content at the time", async () => {
    await using running = await host.start({ connectionStateRecovery: {} });
    const { client, socket } = await pair(running, mode);
    const first = collect(client, "first", 1);
    socket.emit("first");
    await first;
    await lost(client, socket);
    const heard = heardBy(client);
    const counter = Buffer.from([1]);
    const state = { count: 1 };
    running.io.emit("missed", counter, state);
    counter[0] = 2;
    state.count = 2;
    running.io.emit("missed", counter, state);
    counter[0] = 3;
    state.count = 3;
    const again: Socket = await back(running, client);
    assert.equal(again.recovered, true);
    assert.deepEqual(heard, [
      ["missed", Buffer.from([1]), { count: 1 }],
      ["missed", Buffer.from([2]), { count: 2 }],
    ]);
  });
});
