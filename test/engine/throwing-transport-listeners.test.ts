import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/peers.ts";
import { uncaught } from "../support/uncaught.ts";

const differs = "there the session stays until the ping timeout";

describe("engine: a listener on the transport that throws", () => {
  onEveryHost((host) => {
    host.it("at close, is an uncaught error, and the session ends", { differs }, async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.transport.on("close", () => {
        throw new Error("thrown at close");
      });
      const thrown = uncaught(1);
      socket.close();
      assert.deepEqual(String(await thrown), "Error: thrown at close");
      assert.equal((await server.closed(session)).reason, "transport close");
      assert.equal(server.engine.clientsCount, 0);
    });

    host.it("at error, is an uncaught error, and the session ends", { differs }, async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      peer.session.transport.on("error", () => {
        throw new Error("thrown at error");
      });
      const thrown = uncaught(1);
      const { answer } = await peer.park();
      assert.equal((await peer.get()).status, 400);
      await answer;
      assert.deepEqual(String(await thrown), "Error: thrown at error");
      assert.equal((await server.closed(peer.session)).reason, "transport error");
    });

    host.it("at packet, is an uncaught error, and the packet arrives", { differs }, async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.transport.on("packet", () => {
        throw new Error("thrown at packet");
      });
      const thrown = uncaught(1);
      const message = new Promise((resolve) => session.once("message", resolve));
      socket.sendText("4hello");
      assert.equal(await message, "hello");
      assert.deepEqual(String(await thrown), "Error: thrown at packet");
      assert.equal(session.readyState, "open");
    });

    host.it("at drain, is an uncaught error, and the message arrives", { differs }, async () => {
      await using server = await host.start();
      const { socket, session } = await openWebSocket(server);
      session.transport.on("drain", () => {
        throw new Error("thrown at drain");
      });
      const thrown = uncaught(1);
      session.send("hello");
      assert.equal(await socket.next(), "4hello");
      assert.deepEqual(String(await thrown), "Error: thrown at drain");
      assert.equal(session.readyState, "open");
    });
  });
});
