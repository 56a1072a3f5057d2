import assert from "node:assert/strict";
import { OPCODE } from "../support/wire/frames.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer, rawWebSocket, received, until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { Session } from "../support/engine/types.ts";

const LIMIT = 100;

async function assertOversize(server: StartedEngine, session: Session): Promise<void> {
  const { reason, description } = await server.closed(session);
  assert.equal(reason, "transport error");
  assert.match(String((description as Error).message), /Max payload size exceeded/);
}

onEveryHost("engine: maxHttpBufferSize", engineHosts, (host) => {
  host.it("is sent to the client as maxPayload", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const { handshake } = await PollingPeer.open(server);
    assert.equal(handshake.maxPayload, LIMIT);
  });
  host.it("answers a POST beyond it with an empty 413 and leaves the session alone", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    const response = await peer.post(`4${"x".repeat(LIMIT)}`);
    assert.equal(response.status, 413);
    assert.equal(response.body, "");
    await peer.send("4still here");
    assert.deepEqual(messages, ["still here"]);
    assert.equal(peer.session.readyState, "open");
  });

  host.it(
    "answers a chunked POST beyond it with 413 and leaves the session alone",
    { needs: "tcp" },
    async () => {
      await using server = await host.start({ maxHttpBufferSize: LIMIT });
      const peer = await PollingPeer.open(server);
      const headers = { "transfer-encoding": "chunked" };
      const response = await peer.post(`4${"x".repeat(LIMIT)}`, { headers });
      assert.equal(response.status, 413);
      assert.equal(peer.session.readyState, "open");
      await peer.send("4still here");
    },
  );

  host.it("accepts a POST of exactly that many bytes", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    await peer.send(`4${"x".repeat(LIMIT - 1)}`);
    assert.deepEqual(messages, ["x".repeat(LIMIT - 1)]);
  });

  host.it("accepts a chunked POST of exactly that many bytes", { needs: "tcp" }, async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    const headers = { "transfer-encoding": "chunked" };
    const response = await peer.post(`4${"x".repeat(LIMIT - 1)}`, { headers });
    assert.equal(`${response.status} ${response.body}`, "200 ok");
    assert.deepEqual(messages, ["x".repeat(LIMIT - 1)]);
  });

  host.it("counts bytes, not characters", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const peer = await PollingPeer.open(server);
    const response = await peer.post(`4${"€".repeat(40)}`);
    assert.equal(response.status, 413);
  });

  host.it("accepts a large POST within the limit", async () => {
    await using server = await host.start({ maxHttpBufferSize: 3e6 });
    const peer = await PollingPeer.open(server);
    const messages = received(peer.session);
    const text = "tidewire".repeat(300_000);
    await peer.send(`4${text}`);
    assert.equal(messages.length, 1);
    assert.ok(messages[0] === text);
  });

  for (const [kind, opcode] of [
    ["text", OPCODE.text],
    ["binary", OPCODE.binary],
  ] as const) {
    host.it(`ends a WebSocket for a ${kind} message beyond it, and notifies both sides`, async () => {
      await using server = await host.start({ maxHttpBufferSize: LIMIT });
      const { socket, session } = await openWebSocket(server);
      const messages = received(session);
      if (opcode === OPCODE.text) {
        socket.sendText(`4${"x".repeat(LIMIT)}`);
      } else {
        socket.sendBinary(Buffer.alloc(LIMIT + 1));
      }
      await assertOversize(server, session);
      assert.equal((await socket.closed).code, 1009);
      assert.deepEqual(messages, []);
    });
  }

  host.it("ends a WebSocket for a fragmented message beyond it", { needs: "tcp" }, async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const socket = await rawWebSocket(server, server.path("transport=websocket"));
    await socket.next();
    const session = await server.nextSession();
    socket.sendFragmented(OPCODE.text, Buffer.from(`4${"x".repeat(LIMIT)}`), 3);
    await assertOversize(server, session);
    assert.equal((await socket.closed).code, 1009);
  });

  host.it("accepts a WebSocket message of exactly that many bytes", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const { socket, session } = await openWebSocket(server);
    const messages = received(session);
    socket.sendText(`4${"x".repeat(LIMIT - 1)}`);
    socket.sendBinary(Buffer.alloc(LIMIT));
    await until(() => messages.length === 2, "two messages");
    assert.equal(session.readyState, "open");
  });

  host.it("does not limit what the server sends", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const { socket, session } = await openWebSocket(server);
    session.send("x".repeat(LIMIT * 10));
    assert.equal(await socket.next(), `4${"x".repeat(LIMIT * 10)}`);
    const peer = await PollingPeer.open(server);
    peer.session.send("x".repeat(LIMIT * 10));
    assert.equal(await peer.poll(), `4${"x".repeat(LIMIT * 10)}`);
  });

  host.it("ends an upgrade whose WebSocket sends too much, and keeps the session", async () => {
    await using server = await host.start({ maxHttpBufferSize: LIMIT });
    const peer = await PollingPeer.open(server);
    const socket = await peer.probe();
    socket.sendText(`4${"x".repeat(LIMIT)}`);
    assert.equal((await socket.closed).code, 1009);
    await until(() => !peer.session.upgrading, "the upgrade to be given up");
    peer.session.send("still here");
    assert.deepEqual(await peer.pollPackets(1), ["4still here"]);
  });
});
