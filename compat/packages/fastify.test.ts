import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { unsupported } from "../support/cell.ts";
import { connect, program, published } from "./support/published.ts";

published("fastify-socket.io", (host) => {
  if (host === "uws") {
    const reason = "the plugin attaches its server to fastify's, which is a node:http server";
    unsupported("serves routes and sockets on one port", reason);
    return;
  }

  const server = program("fastify", host);
  const open = async (transport: string): Promise<Socket> => {
    const client = connect(server().url, { path: "/live", transports: [transport] });
    await connected(client);
    return client;
  };

  for (const transport of ["polling", "websocket"]) {
    it(`serves routes and sockets on one port, over ${transport}`, async () => {
      const client = await open(transport);
      assert.deepEqual(await client.emitWithAck("echo", { data: Buffer.from([1]) }), {
        data: Buffer.from([1]),
      });
      const news = next(client, "news");
      const body = JSON.stringify({ room: "readers", text: "hello" });
      const headers = { "content-type": "application/json" };
      const answer = await fetch(`${server().url}/news`, { method: "POST", body, headers });
      assert.deepEqual(await answer.json(), { sent: true });
      assert.deepEqual(await news, ["hello"]);
    });
  }

  it("passes the options of the plugin to the server", async () => {
    const handshake = await fetch(`${server().url}/live/?EIO=4&transport=polling`);
    assert.equal(handshake.headers.get("access-control-allow-origin"), "https://example.com");
    assert.match(await handshake.text(), /^0{"sid":/);
    assert.equal((await fetch(`${server().url}/socket.io/?EIO=4&transport=polling`)).status, 404);
  });

  it("disconnects the clients and stops when the application closes", async () => {
    const clients = await Promise.all([open("polling"), open("websocket")]);
    const gone = clients.map((client) => next(client, "disconnect"));
    await server().call("close");
    // a WebSocket can close before the DISCONNECT packet arrives
    for (const [reason] of await Promise.all(gone)) {
      assert.ok(reason === "io server disconnect" || reason === "transport close", String(reason));
    }
    await assert.rejects(fetch(server().url));
  });
});
