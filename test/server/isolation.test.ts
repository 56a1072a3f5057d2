import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import { next } from "../support/waiting/events.ts";
import { pair, settled } from "../support/server/clients.ts";

/** Every two hosts, the same one twice included. */
const couples = serverHostsAndApp.flatMap((first, index) =>
  serverHostsAndApp.slice(index).map((second) => [first, second] as const),
);

describe("two servers in one process", () => {
  for (const [first, second] of couples) {
    describe(`${first.name} and ${second.name}`, () => {
      it("each receives only its own broadcasts", async () => {
        await using one = await first.start();
        await using two = await second.start();
        const a = await pair(one);
        const b = await pair(two);
        await a.socket.join("room");
        await b.socket.join("room");
        const heard: unknown[] = [];
        a.client.on("ev", (value) => heard.push(["a", value]));
        b.client.on("ev", (value) => heard.push(["b", value]));
        one.io.emit("ev", 1);
        one.io.to("room").emit("ev", 2);
        await settled(a.client, a.socket);
        two.io.emit("ev", 3);
        two.io.to("room").emit("ev", 4);
        await settled(b.client, b.socket);
        assert.deepEqual(heard, [
          ["a", 1],
          ["a", 2],
          ["b", 3],
          ["b", 4],
        ]);
      });

      it("one keeps running when the other is closed", async () => {
        for (const [closing, staying] of [
          [first, second],
          [second, first],
        ] as const) {
          await using one = await closing.start();
          await using two = await staying.start();
          await pair(one);
          const b = await pair(two);
          await one.io.close();
          const heard = next(b.client, "ev");
          two.io.emit("ev", 1);
          assert.deepEqual(await heard, [1]);
          await pair(two);
        }
      });

      it("neither changes the Adapter that both share", async () => {
        const before = Object.getOwnPropertyDescriptors(Adapter.prototype);
        await using one = await first.start();
        await pair(one);
        await using two = await second.start();
        await pair(two);
        assert.deepEqual(Object.getOwnPropertyDescriptors(Adapter.prototype), before);
      });
    });
  }
});
