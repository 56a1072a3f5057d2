import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { Server } from "../src/server.ts";
import type { Session } from "../src/session.ts";

describe("WebSocket of `ws`", () => {
  it("tells its own listeners of messages as well", async () => {
    const engine = new Server();
    const httpServer = createServer();
    engine.attach(httpServer);
    await once(httpServer.listen(0, "127.0.0.1"), "listening");
    const { port } = httpServer.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}/engine.io/?EIO=4&transport=websocket`);
    try {
      const [session] = (await once(engine, "connection")) as [Session];
      const theirs = session.transport as unknown as { socket: WebSocket };
      await once(client, "message");

      client.send("4first");
      assert.deepEqual(await once(session, "message"), ["first"]);
      const raw: string[] = [];
      theirs.socket.on("message", (data: Buffer, isBinary) => raw.push(`${data.toString()} ${isBinary}`));
      client.send("4second");
      assert.deepEqual(await once(session, "message"), ["second"]);
      client.send("4third");
      assert.deepEqual(await once(session, "message"), ["third"]);
      assert.deepEqual(raw[0], "4second false");
    } finally {
      client.terminate();
      engine.close();
      await new Promise((closed) => httpServer.close(closed));
    }
  });
});
