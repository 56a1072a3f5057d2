import assert from "node:assert/strict";
import { once } from "node:events";
import { inflateRawSync } from "node:zlib";
import { WebSocket } from "ws";
import type { Session } from "../support/engine/types.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { rawWebSocket } from "../support/engine/peers.ts";
import { OPCODE } from "../support/wire/frames.ts";
import type { Frame } from "../support/wire/frames.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

/** The bit that permessage-deflate sets on the first frame of a compressed message, RFC 7692 section 6. */
const RSV1 = 4;
/** uWebSockets.js does not say which of the two it was. */
const UNPACKING_FAILED =
  /^a compressed message is invalid, or larger than maxHttpBufferSize when decompressed$/;
const OFFER = "permessage-deflate; client_max_window_bits";

async function openRaw(
  server: StartedEngine,
  offer: string | undefined = OFFER,
): Promise<{ socket: RawWebSocket; session: Session }> {
  const headers = offer === "" ? {} : { "sec-websocket-extensions": offer };
  const socket = await rawWebSocket(server, server.path("transport=websocket"), { headers });
  await socket.next();
  return { socket, session: await server.nextSession() };
}

async function nextFrame(socket: RawWebSocket): Promise<Frame> {
  await socket.next();
  return socket.frames.at(-1)!;
}

/** The message of a frame that was compressed by itself, RFC 7692 section 7.2.2. */
function inflated(frame: Frame): string {
  const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat([frame.payload, tail]), { finishFlush: 2 }).toString();
}

async function openWs(server: StartedEngine): Promise<{ socket: WebSocket; session: Session }> {
  const address = `ws://127.0.0.1:${server.port}${server.path("transport=websocket")}`;
  const socket = new WebSocket(address, { perMessageDeflate: { threshold: 0 } });
  await once(socket, "message");
  return { socket, session: await server.nextSession() };
}

const needs = "tcp";

function describeThreshold(host: EngineHost): void {
  const perMessageDeflate = { threshold: 500, serverNoContextTakeover: true };

  host.it("compresses a text message from the threshold on", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate });
    const { socket, session } = await openRaw(server);
    session.send("x".repeat(499));
    const frame = await nextFrame(socket);
    assert.equal(frame.rsv, RSV1);
    assert.ok(frame.payload.length < 50, `${frame.payload.length} bytes`);
    assert.equal(inflated(frame), `4${"x".repeat(499)}`);
  });

  host.it("compresses a binary message from the threshold on", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate });
    const { socket, session } = await openRaw(server);
    session.send(Buffer.alloc(500, "b"));
    const frame = await nextFrame(socket);
    assert.equal(frame.rsv, RSV1);
    assert.equal(inflated(frame), "b".repeat(500));
  });

  host.it("counts bytes, not characters", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate });
    const { socket, session } = await openRaw(server);
    session.send("ü".repeat(250));
    const frame = await nextFrame(socket);
    assert.equal(frame.rsv, RSV1);
    assert.equal(inflated(frame), `4${"ü".repeat(250)}`);
  });

  host.it("leaves a message below the threshold alone", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate });
    const { socket, session } = await openRaw(server);
    session.send("x".repeat(498));
    const frame = await nextFrame(socket);
    assert.equal(frame.rsv, 0);
    assert.equal(frame.payload.toString(), `4${"x".repeat(498)}`);
    session.send("ü".repeat(249));
    assert.equal((await nextFrame(socket)).rsv, 0);
  });

  host.it("leaves a message sent with compress: false alone", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate });
    const { socket, session } = await openRaw(server);
    session.send("x".repeat(5_000), { compress: false });
    const frame = await nextFrame(socket);
    assert.equal(frame.rsv, 0);
    assert.equal(frame.payload.length, 5_001);
    session.send("x".repeat(5_000), { compress: true });
    assert.equal((await nextFrame(socket)).rsv, RSV1);
  });

  host.it("has a threshold of 1024 bytes with true", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate: true });
    const { socket, session } = await openRaw(server);
    session.send("x".repeat(1_022));
    assert.equal((await nextFrame(socket)).rsv, 0);
    session.send("x".repeat(1_023));
    assert.equal((await nextFrame(socket)).rsv, RSV1);
  });

  host.it("compresses some messages of a batch and not others", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate });
    const { socket, session } = await openRaw(server);
    session.send("short");
    session.send("x".repeat(1_000));
    session.send("end");
    await socket.take(3);
    assert.deepEqual(
      socket.frames.slice(-3).map(({ rsv }) => rsv),
      [0, RSV1, 0],
    );
  });
}

onEveryHost("engine: perMessageDeflate", engineHosts, (host) => {
  host.it("is negotiated with a client that offers it", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate: true });
    const { socket } = await openRaw(server);
    assert.match(socket.headers["sec-websocket-extensions"] ?? "", /^permessage-deflate/);
  });

  host.it("is not used for a client that does not offer it", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate: true });
    const { socket, session } = await openRaw(server, "");
    assert.equal(socket.headers["sec-websocket-extensions"], undefined);
    session.send("x".repeat(5_000));
    const frame = await nextFrame(socket);
    assert.equal(`${frame.rsv} ${frame.payload.length}`, "0 5001");
  });

  host.it("is off by default", { needs }, async () => {
    await using server = await host.start();
    const { socket, session } = await openRaw(server);
    assert.equal(socket.headers["sec-websocket-extensions"], undefined);
    session.send("x".repeat(5_000));
    assert.equal((await nextFrame(socket)).rsv, 0);
  });

  describeThreshold(host);

  host.it("is negotiated for an upgrade too", { needs }, async () => {
    await using server = await host.start({
      perMessageDeflate: { threshold: 10, serverNoContextTakeover: true },
    });
    const handshake = await server.client.get(server.path("transport=polling"));
    const session = await server.nextSession();
    assert.equal(handshake.status, 200);
    const path = server.path(`transport=websocket&sid=${session.id}`);
    const headers = { "sec-websocket-extensions": OFFER };
    const socket = await rawWebSocket(server, path, { headers });
    socket.sendText("2probe");
    assert.equal(await socket.next(), "3probe");
    socket.sendText("5");
    session.send("x".repeat(1_000));
    const frame = await nextFrame(socket);
    assert.equal(frame.rsv, RSV1);
    assert.equal(inflated(frame), `4${"x".repeat(1_000)}`);
  });

  for (const [name, perMessageDeflate] of [
    ["shared state", { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true }],
    ["state of its own", { threshold: 0, serverNoContextTakeover: false, clientNoContextTakeover: false }],
    ["small windows", { threshold: 0, serverNoContextTakeover: false, serverMaxWindowBits: 10 }],
  ] as const) {
    host.it(`carries messages both ways with ${name}, read by the client of ws`, { needs }, async () => {
      await using server = await host.start({ perMessageDeflate });
      const { socket, session } = await openWs(server);
      assert.match(socket.extensions, /permessage-deflate/);
      const fromServer: string[] = [];
      const fromClient: string[] = [];
      const done = new Promise<void>((resolve) => {
        socket.on("message", (data: Buffer) => {
          if (fromServer.push(String(data)) === 20) resolve();
        });
      });
      session.on("message", (data: string) => {
        fromClient.push(data);
        session.send(data);
      });
      const sent = Array.from({ length: 20 }, (_, index) => `${index}: ${"lorem ipsum ".repeat(index * 40)}`);
      for (const text of sent) socket.send(`4${text}`);
      await done;
      assert.deepEqual(fromClient, sent);
      assert.deepEqual(
        fromServer,
        sent.map((text) => `4${text}`),
      );
      socket.close();
      await server.closed(session);
    });
  }

  host.it(
    "takes a compressed message up to maxHttpBufferSize, counted when unpacked",
    { needs },
    async () => {
      await using server = await host.start({ perMessageDeflate: true, maxHttpBufferSize: 10_000 });
      const { socket, session } = await openWs(server);
      const received = once(session, "message");
      socket.send(`4${"x".repeat(9_999)}`);
      assert.equal(String((await received)[0]).length, 9_999);
      const closed = once(socket, "close");
      socket.send(`4${"x".repeat(10_000)}`);
      assert.equal((await closed)[0], 1009);
      const { reason, description } = await server.closed(session);
      assert.equal(reason, "transport error");
      assert.match((description as Error).message, /Max payload size exceeded$/);
    },
  );

  host.it("ends a message that unpacks to far more than maxHttpBufferSize", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate: true, maxHttpBufferSize: 1_000 });
    const { socket, session } = await openWs(server);
    socket.on("error", () => {});
    socket.send(`4${"x".repeat(5_000_000)}`);
    const { reason, description } = await server.closed(session);
    assert.equal(reason, "transport error");
    const expected = host.name === "uws" ? UNPACKING_FAILED : /Max payload size exceeded$/;
    assert.match((description as Error).message, expected);
    assert.equal(server.engine.clientsCount, 0);
    socket.terminate();
  });

  host.it("does not report a corrupt compressed message as too large", { needs }, async () => {
    await using server = await host.start({ perMessageDeflate: true });
    const { socket, session } = await openRaw(server);
    // A block of the reserved type 3, RFC 1951 section 3.2.3.
    socket.sendFrame(OPCODE.text, Buffer.from([0xff, 0xff, 0xff]), { rsv: RSV1 });
    const { reason, description } = await server.closed(session);
    assert.equal(reason, "transport error");
    const error = description as Error & { code?: string; description?: Error };
    assert.equal(error.code, "WEBSOCKET_ERROR");
    const expected = host.name === "uws" ? UNPACKING_FAILED : /invalid block type/;
    assert.match(error.description?.message ?? error.message, expected);
    const { code } = await socket.closed;
    assert.equal(code, host.name === "uws" ? 1006 : 1007);
  });

  const smaller = "permessage-deflate; server_max_window_bits=10";
  const eight = "permessage-deflate; server_max_window_bits=8";

  /** What the server has accepted of an offer. */
  async function accepted(
    perMessageDeflate: boolean | { serverNoContextTakeover: boolean },
    offer: string,
  ): Promise<string | undefined> {
    await using server = await host.start({ perMessageDeflate });
    const socket = await server.client.websocket(server.path("transport=websocket"), {
      headers: { "sec-websocket-extensions": offer },
    });
    return socket.headers["sec-websocket-extensions"];
  }

  host.it("uses the smaller window that a client asks for, or declines", { needs }, async () => {
    const shared = await accepted(true, smaller);
    if (host.name === "uws") assert.equal(shared, undefined);
    else assert.match(shared ?? "", /server_max_window_bits=10/);
    const dedicated = await accepted({ serverNoContextTakeover: false }, smaller);
    assert.match(dedicated ?? "", /server_max_window_bits=10/);
  });

  host.it("accepts the next offer instead of one it cannot meet", { needs }, async () => {
    const answer = await accepted(true, `${eight}, permessage-deflate`);
    assert.match(answer ?? "", /^permessage-deflate(?!.*server_max_window_bits)/);
  });

  host.it("declines a window of 8 bits, which zlib cannot do", { needs }, async () => {
    assert.equal(await accepted(true, eight), undefined);
    assert.equal(await accepted({ serverNoContextTakeover: false }, eight), undefined);
  });
});
