import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import {
  framed,
  LegacyPeer,
  legacyPath,
  openLegacyWebSocket,
  openPacket,
} from "../support/engine/legacy-peers.ts";
import { openWebSocket, PollingPeer, until } from "../support/engine/peers.ts";
import { exchange } from "../support/wire/network-client.ts";

const allowEIO3 = true;
const UNSUPPORTED = "Unsupported protocol version";

onEveryHost("engine: the handshake of protocol 3", engineHosts, (host) => {
  host.it("answers a first poll with the open packet, its length in front", async () => {
    await using server = await host.start({ allowEIO3 });
    const { status, headers, body } = await server.client.get(legacyPath(server, "transport=polling"));
    const session = await server.nextSession();
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(body, `118:${openPacket(session.id, ["websocket"])}`);
    assert.equal(session.protocol, 3);
    assert.equal(session.readyState, "open");
  });

  host.it("opens a WebSocket with the open packet", async () => {
    await using server = await host.start({ allowEIO3 });
    const socket = await server.client.websocket(legacyPath(server, "transport=websocket"));
    const session = await server.nextSession();
    assert.equal(await socket.next(), openPacket(session.id, []));
    assert.equal(session.protocol, 3);
  });

  for (const version of ["", "EIO=2&", "EIO=abc&", "EIO=04&"]) {
    host.it(`treats a client with "${version}" as one of protocol 3`, async () => {
      await using server = await host.start({ allowEIO3 });
      await server.client.get(server.path("transport=polling").replace("EIO=4&", version));
      assert.equal((await server.nextSession()).protocol, 3);
    });
  }

  host.it("sends initialPacket and the listener's messages in the answer to the next poll", async () => {
    await using server = await host.start({ allowEIO3, initialPacket: "hi" });
    server.engine.on("connection", (session: { send(data: string): void }) => session.send("one"));
    const path = legacyPath(server, "transport=polling");
    const first = await server.client.get(path);
    const { id } = await server.nextSession();
    assert.equal(first.body, `${framed(openPacket(id, ["websocket"]))}3:4hi`);
    const second = await server.client.get(`${path}&sid=${id}`);
    assert.equal(second.body, "4:4one");
  });

  host.it("serves clients of both protocols side by side", async () => {
    await using server = await host.start({ allowEIO3 });
    const old = await LegacyPeer.open(server);
    const current = await PollingPeer.open(server);
    for (const peer of [old, current]) peer.session.send("a");
    assert.equal((await old.poll()).body, "2:4a");
    assert.equal(await current.poll(), "4a");
  });
});

onEveryHost("engine: protocol 3 without allowEIO3", engineHosts, (host) => {
  host.it("answers a poll with 400 and code 5", async () => {
    await using server = await host.start();
    const response = await server.client.get(legacyPath(server, "transport=polling"));
    assert.equal(response.status, 400);
    assert.equal(response.headers["content-type"], "application/json");
    assert.equal(response.body, `{"code":5,"message":"${UNSUPPORTED}"}`);
    const { code, message, context } = await server.nextError();
    assert.deepEqual({ code, message, context }, { code: 5, message: UNSUPPORTED, context: { protocol: 3 } });
    assert.equal(server.engine.clientsCount, 0);
  });

  host.it("rejects a WebSocket before the upgrade", async () => {
    await using server = await host.start();
    const response = await server.client.refused(legacyPath(server, "transport=websocket"));
    assert.equal(response.status, 400);
    assert.equal(response.body, UNSUPPORTED);
    const { code, context } = await server.nextError();
    assert.deepEqual({ code, context }, { code: 5, context: { protocol: 3 } });
    assert.equal(server.engine.clientsCount, 0);
  });

  const one = "one HTTP response on the wire and not a byte more";
  host.it(`sends a WebSocket ${one}`, { needs: "tcp" }, async () => {
    await using server = await host.start();
    const head = [
      `GET ${legacyPath(server, "transport=websocket")} HTTP/1.1`,
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ].join("\r\n");
    const bytes = await exchange(server.port, `${head}\r\n\r\n`);
    assert.match(bytes, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.equal(bytes.match(/HTTP\/1\.1/g)?.length, 1);
    assert.ok(bytes.endsWith(`\r\n\r\n${UNSUPPORTED}`), bytes);
    assert.match(bytes, new RegExp(`content-length: ${UNSUPPORTED.length}\r\n`, "i"));
  });

  host.it("refuses it after it called allowRequest", async () => {
    let asked = 0;
    const allowRequest = (_: unknown, done: (error: null, success: boolean) => void): void => {
      asked++;
      done(null, true);
    };
    await using server = await host.start({ allowRequest });
    const response = await server.client.get(legacyPath(server, "transport=polling"));
    assert.equal(response.body, `{"code":5,"message":"${UNSUPPORTED}"}`);
    assert.equal(asked, 1);
  });
});

describe("engine: a session keeps its protocol and its transport", () => {
  const protocolMismatch = (protocol: number, previousProtocol: number): object => ({
    name: "PROTOCOL_MISMATCH",
    protocol,
    previousProtocol,
  });
  const transportMismatch = (transport: string, previousTransport: string): object => ({
    name: "TRANSPORT_MISMATCH",
    transport,
    previousTransport,
  });

  onEveryHost("requests with another one", engineHosts, (host) => {
    for (const method of ["GET", "POST"]) {
      host.it(`refuses a ${method} of protocol 4 to a session of protocol 3`, async () => {
        await using server = await host.start({ allowEIO3 });
        const peer = await LegacyPeer.open(server);
        const response = await server.client.request(method, peer.path.replace("EIO=3", "EIO=4"));
        assert.equal(response.status, 400);
        assert.equal(response.body, '{"code":3,"message":"Bad request"}');
        assert.deepEqual((await server.nextError()).context, protocolMismatch(4, 3));
        peer.session.send("still here");
        assert.equal((await peer.poll()).body, "11:4still here");
      });

      host.it(`refuses a ${method} of protocol 3 to a session of protocol 4`, async () => {
        await using server = await host.start({ allowEIO3 });
        const peer = await PollingPeer.open(server);
        const response = await server.client.request(method, peer.path.replace("EIO=4", "EIO=3"));
        assert.equal(response.status, 400);
        assert.deepEqual((await server.nextError()).context, protocolMismatch(3, 4));
        peer.session.send("still here");
        assert.equal(await peer.poll(), "4still here");
      });
    }

    host.it("refuses the upgrade of protocol 4 to a session of protocol 3", async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server);
      const response = await server.client.refused(peer.websocketPath.replace("EIO=3", "EIO=4"));
      assert.equal(response.status, 400);
      assert.equal(response.body, "Bad request");
      assert.deepEqual((await server.nextError()).context, protocolMismatch(4, 3));
      assert.equal(peer.session.upgrading, false);
      assert.equal(peer.session.readyState, "open");
    });

    host.it("refuses the upgrade of protocol 3 to a session of protocol 4", async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await PollingPeer.open(server);
      const response = await server.client.refused(peer.websocketPath.replace("EIO=4", "EIO=3"));
      assert.equal(response.body, "Bad request");
      assert.deepEqual((await server.nextError()).context, protocolMismatch(3, 4));
    });

    for (const version of [3, 4]) {
      host.it(`refuses a poll to a WebSocket session of protocol ${version}`, async () => {
        await using server = await host.start({ allowEIO3 });
        const old = version === 3;
        const { session } = await (old ? openLegacyWebSocket(server) : openWebSocket(server));
        const query = `transport=polling&sid=${session.id}`;
        const response = await server.client.get(old ? legacyPath(server, query) : server.path(query));
        assert.equal(response.status, 400);
        assert.equal(response.body, '{"code":3,"message":"Bad request"}');
        assert.deepEqual((await server.nextError()).context, transportMismatch("polling", "websocket"));
        assert.equal(session.readyState, "open");
      });

      host.it(`refuses a plain request for WebSocket to a session of protocol ${version}`, async () => {
        await using server = await host.start({ allowEIO3 });
        const peer = await (version === 3 ? LegacyPeer : PollingPeer).open(server);
        const response = await server.client.get(peer.websocketPath);
        assert.equal(response.status, 400);
        assert.deepEqual((await server.nextError()).context, transportMismatch("websocket", "polling"));
        assert.equal(peer.session.readyState, "open");
      });
    }

    host.it("names the transport first when both are wrong", async () => {
      await using server = await host.start({ allowEIO3 });
      const { session } = await openLegacyWebSocket(server);
      await server.client.get(server.path(`transport=polling&sid=${session.id}`));
      assert.deepEqual((await server.nextError()).context, transportMismatch("polling", "websocket"));
    });

    host.it("refuses a poll of an upgraded session", async () => {
      await using server = await host.start({ allowEIO3 });
      const peer = await LegacyPeer.open(server);
      const socket = await peer.probe();
      socket.sendText("5");
      await until(() => peer.session.upgraded, "the upgrade");
      const response = await peer.poll();
      assert.equal(response.status, 400);
      assert.deepEqual((await server.nextError()).context, transportMismatch("polling", "websocket"));
    });
  });
});
