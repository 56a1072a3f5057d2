import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";

/** Sends the counter three times from the one buffer it is written into. */
function countTo3(send: (counter: Buffer) => void): void {
  const counter = Buffer.alloc(4);
  for (let count = 1; count <= 3; count++) {
    counter.writeUInt32BE(count);
    send(counter);
  }
}

const one = Buffer.from([0, 0, 0, 1]);
const two = Buffer.from([0, 0, 0, 2]);
const three = Buffer.from([0, 0, 0, 3]);

onEveryHost("engine: a buffer that the application reuses", engineHosts, (host) => {
  host.it("is sent with its content of each tick, over WebSocket", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const counter = Buffer.alloc(4);
    for (let count = 1; count <= 3; count++) {
      counter.writeUInt32BE(count);
      session.send(counter);
      assert.deepEqual(await socket.next(), Buffer.from([0, 0, 0, count]));
    }
  });

  host.it("is sent with its content at each send of a tick, over WebSocket", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    countTo3((counter) => session.send(counter));
    assert.deepEqual(await socket.take(3), [one, two, three]);
  });

  host.it("is sent with its content at the time, when a listener answers with it", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    session.on("message", () => countTo3((counter) => session.send(counter)));
    socket.sendText("4go");
    assert.deepEqual(await socket.take(3), [one, two, three]);
  });

  host.it("reaches each client with its own content", async () => {
    await using server = await host.start();
    const peers = [await openWebSocket(server), await openWebSocket(server), await openWebSocket(server)];
    let at = 0;
    countTo3((counter) => peers[at++]!.session.send(counter));
    const got = await Promise.all(peers.map(({ socket }) => socket.next()));
    assert.deepEqual(got, [one, two, three]);
  });

  host.it("is sent with its content at the time, as a view on part of an ArrayBuffer", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const view = new Uint8Array(new ArrayBuffer(8), 2, 2);
    view.set([1, 2]);
    session.send(view as Buffer);
    view.set([3, 4]);
    session.send(view as Buffer);
    assert.deepEqual(await socket.take(2), [Buffer.from([1, 2]), Buffer.from([3, 4])]);
  });

  host.it("is sent with its content at the time, over a later poll", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    countTo3((counter) => peer.session.send(counter));
    assert.deepEqual(await peer.pollPackets(3), ["bAAAAAQ==", "bAAAAAg==", "bAAAAAw=="]);
  });

  host.it("is sent with its content at the time, if larger than one gathered write", async () => {
    await using server = await host.start();
    const { socket, session } = await openWebSocket(server);
    const large = Buffer.alloc(100_000, "a");
    session.send(large);
    large.fill("b");
    session.send(large);
    assert.deepEqual(await socket.take(2), [Buffer.alloc(100_000, "a"), Buffer.alloc(100_000, "b")]);
  });
});
