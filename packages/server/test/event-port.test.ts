import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "@tidewire/server";
import { startBound } from "./support.ts";

describe("a connection of another engine", () => {
  it("is closed for an empty message, also while a CONNECT is pending", async () => {
    await using server = await startBound();
    let arrived = (_socket: Socket): void => {};
    const waiting = new Promise<Socket>((resolve) => (arrived = resolve));
    server.io.use((socket) => arrived(socket));
    const client = server.client({ transports: ["websocket"] });
    const { conn } = await waiting;
    const closed = once(conn, "close");
    client.io.engine.write("");
    assert.equal((await closed)[0], "forced close");
  });
});
