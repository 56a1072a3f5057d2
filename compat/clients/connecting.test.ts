import assert from "node:assert/strict";
import { createServer } from "node:http";
import { listen } from "../support/after-test.ts";
import { next } from "../../test/support/waiting/events.ts";
import { onEveryClient } from "./setting.ts";

const token = { token: "abc", user: "é 1" };

onEveryClient("connecting", { plain: true }, (setting) => {
  it("agrees with the server on the id, the protocol and the transport", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    assert.equal(client.id, socket.id);
    assert.equal(socket.conn.protocol, setting.version.protocol);
    assert.equal(client.io.engine.transport.name, setting.transport);
    assert.equal(socket.conn.transport.name, setting.transport);
  });

  it("sends credentials, a query and headers", async () => {
    const server = await setting.start();
    const { socket } = await setting.join(server, {
      credentials: token,
      extraHeaders: { "x-of-the-client": "yes" },
    });
    const { token: given, user } = setting.credentialsOf(socket);
    assert.deepEqual({ token: given, user }, token);
    assert.equal(socket.handshake.headers["x-of-the-client"], "yes");
    assert.equal(socket.handshake.query["EIO"], String(setting.version.protocol));
  });

  it("works on a custom path", async () => {
    const server = await setting.start({ path: "/elsewhere" });
    const { client } = await setting.joinFully(server, { path: "/elsewhere" });
    assert.equal(client.connected, true);
  });

  it("fails if allowRequest refuses", async () => {
    const server = await setting.start({ allowRequest: (_, decide) => decide("no", false) });
    const client = setting.open(server.url, { autoConnect: false });
    const failed = next(client, "connect_error");
    client.open();
    await failed;
    assert.equal(client.connected, false);
  });

  it("fails if no server listens", async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const client = setting.open(`http://127.0.0.1:${port}`, { autoConnect: false });
    const failed = next(client, "connect_error");
    client.open();
    await failed;
  });
});
