import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "@tidewire/server";
import { startBound } from "./support.ts";

describe("server over a bound engine", () => {
  it("chats", async () => {
    await using server = await startBound();
    server.io.on("connection", (socket: Socket) => {
      socket.on("echo", (text: string, cb: (x: string) => void) => cb(text + "!"));
      void socket.join("r");
    });
    const client = server.connect();
    await once(client as never, "connect");
    assert.equal(await client.emitWithAck("echo", "a"), "a!");
    const got = once(client as never, "news");
    server.io.to("r").emit("news", Buffer.from([1]), 2);
    assert.deepEqual(await got, [Buffer.from([1]), 2]);
    client.on("q", (cb: (x: number) => void) => cb(3));
    assert.deepEqual(await server.io.timeout(1000).emitWithAck("q"), [3]);
  });
});
