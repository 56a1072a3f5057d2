import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import type { Server } from "../support/server/socketio.ts";
import { countingHosts } from "./support/counting-hosts.ts";

/** A value that counts how often it is serialised. */
class Counted {
  count: number = 0;

  toJSON(): string {
    this.count++;
    return "value";
  }
}

const receivers = 20;

const ways: [string, (io: Server) => { emit(event: string, value: unknown): unknown }][] = [
  ["io", (io) => io],
  ["io.to(room)", (io) => io.to("room")],
  ["io.to(room).except(another)", (io) => io.to("room").except("another")],
  ["io.to() of two rooms", (io) => io.to(["room", "half"])],
  ["io.volatile", (io) => io.volatile],
];

onEveryHost("encodes", countingHosts, (host) => {
  for (const [name, way] of ways) {
    it(`as many for an event by ${name} to ${receivers} clients as to one`, async () => {
      const counts: number[] = [];
      for (const clients of [1, receivers]) {
        await using server = await host.start();
        server.io.on("connection", (socket) => void socket.join(["room", "half"]));
        const wires = await server.connectAll(clients);
        const value = new Counted();
        way(server.io).emit("news", value);
        for (const text of await Promise.all(wires.map((wire) => wire.next()))) {
          assert.equal(text, '42["news","value"]');
        }
        counts.push(value.count);
      }
      assert.equal(counts[0], counts[1]);
      // once to look for binary, once to encode
      assert.ok(counts[1]! <= 2, `${counts[1]} times`);
    });
  }

  host.it(
    `one string, and its bytes once, for an event to ${receivers} clients`,
    { needs: "contents" },
    async () => {
      await using server = await host.start();
      const wires = await server.connectAll(receivers);
      server.contents.clear();
      server.io.emit("news", "é");
      await Promise.all(wires.map((wire) => wire.next()));
      assert.ok(server.contents.size <= 2, `${server.contents.size} different contents`);
    },
  );

  it("no more for an event to clients over WebSocket and long-polling", async () => {
    await using server = await host.start();
    const wires = await server.connectAll(3);
    const paths = [await server.openPolling(), await server.openPolling()];
    const value = new Counted();
    server.io.emit("news", value);
    const texts = [
      ...(await Promise.all(wires.map((wire) => wire.next()))),
      ...(await Promise.all(paths.map(async (path) => (await server.client.get(path)).body))),
    ];
    assert.deepEqual(new Set(texts), new Set(['42["news","value"]']));
    assert.ok(value.count <= 2, `${value.count} times`);
  });
});
