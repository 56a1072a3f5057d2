import assert from "node:assert/strict";
import { MemoryServer } from "./memory.ts";

const request = { url: "/engine.io/?EIO=4&transport=polling", headers: { host: "localhost" } };

describe("a server whose engine was bound to it", () => {
  it("refuses new clients once it is closed", async () => {
    await using server = new MemoryServer();
    await server.join();
    await server.io.close();
    const { status, headers } = await server.host.request(request).response;
    assert.equal(`${status} ${String(headers["connection"])}`, "503 close");
    assert.equal(server.engine.clientsCount, 0);
  });

  it("refuses their WebSockets", async () => {
    await using server = new MemoryServer();
    await server.io.close();
    const url = request.url.replace("polling", "websocket");
    await assert.rejects(server.host.connect({ ...request, url }), /503/);
  });

  it("accepts them again when it is bound again", async () => {
    await using server = new MemoryServer();
    await server.io.close();
    server.io.bind(server.engine);
    assert.equal((await server.host.request(request).response).status, 200);
  });
});
