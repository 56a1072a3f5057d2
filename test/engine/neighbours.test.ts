import assert from "node:assert/strict";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireSocket } from "../support/wire/client.ts";

async function upgraded(server: StartedEngine): Promise<{ peer: PollingPeer; socket: WireSocket }> {
  const peer = await PollingPeer.open(server);
  const socket = await peer.probe();
  socket.sendText("5");
  await until(() => peer.session.upgraded, "the upgrade");
  return { peer, socket };
}

function describePair(first: EngineHost, second: EngineHost): void {
  describe(`${first.name} beside ${second.name}`, () => {
    it("carry messages at the same time", async () => {
      await using one = await first.start();
      await using two = await second.start();
      const a = await upgraded(one);
      const b = await upgraded(two);
      a.peer.session.on("message", (data: string) => b.peer.session.send(`from one: ${data}`));
      b.peer.session.on("message", (data: string) => a.peer.session.send(`from two: ${data}`));
      a.socket.sendText("4x");
      b.socket.sendText("4y");
      assert.equal(await b.socket.next(), "4from one: x");
      assert.equal(await a.socket.next(), "4from two: y");
    });

    it("do not know each other's sessions", async () => {
      await using one = await first.start();
      await using two = await second.start();
      const peer = await PollingPeer.open(one);
      const response = await two.client.get(peer.path);
      assert.equal(response.body, '{"code":1,"message":"Session ID unknown"}');
      assert.equal(one.engine.clientsCount, 1);
      assert.equal(two.engine.clientsCount, 0);
    });

    it("keep their own options", async () => {
      await using one = await first.start({ pingInterval: 1111, maxHttpBufferSize: 10 });
      await using two = await second.start({ pingInterval: 2222 });
      assert.equal((await PollingPeer.open(one)).handshake.pingInterval, 1111);
      const { socket, session, handshake } = await openWebSocket(two);
      assert.equal(handshake.pingInterval, 2222);
      const received = new Promise((resolve) => session.once("message", resolve));
      socket.sendText("4longer than ten bytes");
      assert.equal(await received, "longer than ten bytes");
    });

    it("keep running when the other is closed", async () => {
      await using two = await second.start();
      const one = await first.start();
      const a = await upgraded(one);
      const b = await upgraded(two);
      await one.close();
      await a.socket.closed;
      b.peer.session.send("still here");
      assert.equal(await b.socket.next(), "4still here");
      const { handshake } = await PollingPeer.open(two);
      assert.equal(handshake.sid.length, 20);
    });
  });
}

describe("engine: two engines in one process", () => {
  for (const first of engineHosts) {
    for (const second of engineHosts) {
      describePair(first, second);
    }
  }
});
