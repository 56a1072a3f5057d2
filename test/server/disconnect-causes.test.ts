import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Limits } from "@tidewire/server";
import { transportErrors } from "../../packages/engine/src/errors.ts";
import { parseErrors } from "../../packages/parser/src/errors.ts";
import { authErrors } from "../../packages/server/src/auth/errors.ts";
import { packetErrors } from "../../packages/server/src/connection/packet-errors.ts";
import { encodeFrame, OPCODE } from "../support/wire/frames.ts";
import { HalfPost, NetworkClient } from "../support/wire/network-client.ts";
import type { RawWebSocket } from "../support/wire/raw-websocket.ts";

import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { pair } from "../support/server/clients.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { webTransport, webTransportClient } from "../support/webtransport/socketio.ts";
import type { WebTransportClient } from "../support/webtransport/socketio.ts";

/** What a listener of `disconnect` learns, as a plain object. */
async function causeOf(socket: Socket, misdeed: () => unknown): Promise<Record<string, unknown>> {
  const left = next<[string, Error | undefined]>(socket, "disconnect");
  await misdeed();
  const [reason, description] = await left;
  assert.ok(description instanceof Error, "an error for a description");
  assert.notEqual(description.message, "");
  return { reason, ...Object.fromEntries(Object.entries(description)) };
}

/** A hand-made client over long-polling that has joined the root namespace. */
class Poller {
  readonly running: StartedServer;
  readonly client: NetworkClient;
  readonly port: number;
  readonly path: string;
  readonly socket: Socket;

  private constructor(running: StartedServer, client: NetworkClient, path: string, socket: Socket) {
    this.running = running;
    this.client = client;
    this.port = client.port;
    this.path = path;
    this.socket = socket;
  }

  static async open(running: StartedServer, revision: 3 | 4 = 4): Promise<Poller> {
    const { io, port } = running;
    const client = new NetworkClient(port);
    running.closeWith(() => client.close());
    const connection = next<[Socket]>(io, "connection");
    const handshake = `/socket.io/?EIO=${revision}&transport=polling`;
    const { body } = await client.get(handshake);
    const sid = /"sid":"([^"]+)"/.exec(body)?.[1];
    const path = `${handshake}&sid=${sid}`;
    if (revision === 4) await client.post(path, "40");
    const poller = new Poller(running, client, path, (await connection)[0]);
    // The answer to CONNECT: what follows waits for a poll of its own.
    if (revision === 4) await client.get(path);
    return poller;
  }

  /** A poll that will be held; it may be cut, or refused. */
  poll(signal?: AbortSignal): void {
    this.client.get(this.path, signal === undefined ? {} : { signal }).catch(() => {});
  }

  async parked(): Promise<void> {
    while (!this.socket.conn.transport.writable) await new Promise(setImmediate);
  }
}

type Cause = Record<string, unknown>;

/** By code: what a client does, by WebSocket, and the whole cause. */
const byWebSocket: Record<string, [does: (wire: RawWebSocket) => void, cause: Cause, limits?: Limits]> = {
  EMPTY_PACKET: [(wire) => wire.sendText(""), { reason: "parse error" }],
  UNKNOWN_ENGINE_PACKET_TYPE: [(wire) => wire.sendText("abc"), { reason: "parse error" }],
  INVALID_HEARTBEAT_DIRECTION: [(wire) => wire.sendText("2"), { reason: "transport error" }],
  PAYLOAD_TOO_LARGE: [
    (wire) => wire.sendText(`4${"x".repeat(50_000)}`),
    { reason: "transport error", limit: 50_000 },
  ],
  WEBSOCKET_ERROR: [
    (wire) => wire.sendFrame(OPCODE.text, Buffer.from([0xff])),
    { reason: "transport error" },
  ],
  WEBSOCKET_CLOSED: [
    (wire) => wire.close(4001, "bye"),
    { reason: "transport close", wsCode: 4001, wsReason: "bye" },
  ],
  BAD_SOCKET_PACKET: [
    (wire) => wire.sendText('4511-["ev"]'),
    { kind: "BINARY_EVENT", namespace: "/", parseCode: "TOO_MANY_ATTACHMENTS", limit: 10 },
  ],
  RESERVED_EVENT: [
    (wire) => wire.sendText('42/other,["connect"]'),
    { kind: "EVENT", namespace: "/other", parseCode: "RESERVED_EVENT" },
  ],
  SECOND_CONNECT: [(wire) => wire.sendText("40"), { kind: "CONNECT", namespace: "/" }],
  NAMESPACE_NOT_JOINED: [(wire) => wire.sendText('42/other,["ev"]'), { kind: "EVENT", namespace: "/other" }],
  UNEXPECTED_PACKET: [(wire) => wire.sendText("44{}"), { kind: "CONNECT_ERROR", namespace: "/" }],
  TOO_MANY_EARLY_PACKETS: [
    (wire) => wire.sendTogether("40/undecided,", ...Array<string>(1001).fill('42/undecided,["early"]')),
    { kind: "EVENT", namespace: "/undecided", limit: 1000 },
  ],
  TOO_MANY_EVENTS: [
    (wire) => wire.sendTogether('42["ev"]', '42["ev"]'),
    { kind: "EVENT", namespace: "/", limit: 0.001 },
    { eventsPerSecond: { rate: 0.001, over: "disconnect" } },
  ],
  TOO_MANY_BYTES: [
    (wire) => wire.sendText('42["ev"]'),
    { kind: "EVENT", namespace: "/", limit: 0.001 },
    { bytesPerSecond: { rate: 0.001, burst: 5, over: "disconnect" } },
  ],
  CONNECT_FAILED: [(wire) => wire.sendText("40/throws,"), { kind: "CONNECT", namespace: "/throws" }],
};

/** What ends a WebTransport session, and the cause. */
const byWebTransport: Record<string, [does: (peer: WebTransportClient) => unknown, cause: Cause]> = {
  "the client closes it with a code": [
    ({ pair }) => pair.close({ closeCode: 4001, reason: "bye" }),
    { closeCode: 4001, closeReason: "bye", description: undefined },
  ],
  "the connection is lost": [
    ({ pair }) => pair.lose(),
    { closeCode: undefined, closeReason: "", description: new Error("connection lost") },
  ],
  "the client ends its stream": [
    ({ stream }) => stream.finish(),
    { closeCode: undefined, closeReason: "", description: undefined },
  ],
  "the client resets its stream": [
    ({ stream }) => stream.reset(),
    { closeCode: undefined, closeReason: "", description: new Error("reset") },
  ],
};

/** By code: the same, by long-polling. */
const byPolling: Record<string, [does: (poller: Poller) => unknown, cause: Cause, revision?: 3]> = {
  POLL_OVERLAP: [
    async (poller) => {
      poller.poll();
      await poller.parked();
      poller.poll();
    },
    { reason: "transport error" },
  ],
  POLL_ABORTED: [
    async (poller) => {
      const cut = new AbortController();
      poller.poll(cut.signal);
      await poller.parked();
      cut.abort();
    },
    { reason: "transport error" },
  ],
  POST_OVERLAP: [
    ({ running, port, path }) => {
      for (const half of [new HalfPost(port, path), new HalfPost(port, path)]) {
        running.closeWith(() => half.abort());
      }
    },
    { reason: "transport error" },
  ],
  INVALID_CONTENT: [
    ({ client, path }) => client.post(path, "4", { headers: { "content-type": "application/octet-stream" } }),
    { reason: "transport error" },
  ],
  TOO_MANY_PACKETS: [
    ({ client, path }) => client.post(path, "6\x1e".repeat(10_000)),
    { reason: "parse error", limit: 10_000 },
  ],
  ILLEGAL_PAYLOAD_LENGTH: [({ client, path }) => client.post(path, "9:4"), { reason: "parse error" }, 3],
  ILLEGAL_UTF8: [
    ({ client, path }) =>
      client.post(path, Buffer.from([0, 2, 255, 0x34, 0xff]), {
        headers: { "content-type": "application/octet-stream" },
      }),
    { reason: "parse error" },
    3,
  ],
};

/** Shown by tests of their own, below; `POLL_REPEATED`, which needs three processes, in `packages/cluster/test/forwarding.test.ts`. */
const others = [
  "POLL_REPEATED",
  "POST_ABORTED",
  "PING_TIMEOUT",
  "SLOW_CONSUMER",
  "FAST_PRODUCER",
  "WEBTRANSPORT_CLOSED",
  "REPLACED",
];
/** Of a connection, whatever its transport. */
const ofConnections = ["REPLACED"];

function assertCause(actual: Cause, expected: Cause): void {
  const given = Object.fromEntries(Object.keys(expected).map((name) => [name, actual[name]]));
  assert.deepEqual(given, expected);
}

async function start(host: ServerHost, options: object = {}): Promise<StartedServer> {
  const running = await host.start({ maxHttpBufferSize: 50_000, allowEIO3: true, ...options });
  running.io.of((name, _auth, decide) => {
    if (name === "/throws") throw new Error("thrown by the application");
    if (name === "/undecided") return;
    decide(null, false);
  });
  return running;
}

onEveryHost("the description of a disconnection", serverHosts, (host) => {
  for (const [code, [does, cause, limits = {}]] of Object.entries(byWebSocket)) {
    it(`is ${code}, by WebSocket`, async () => {
      await using running = await start(host, { limits });
      const { wire, socket } = await rawPair(running);
      assertCause(await causeOf(socket, () => does(wire)), { reason: "forced close", code, ...cause });
      await wire.closed;
    });
  }

  for (const [code, [does, cause, revision]] of Object.entries(byPolling)) {
    it(`is ${code}, by long-polling`, async () => {
      await using running = await start(host);
      const poller = await Poller.open(running, revision);
      assertCause(await causeOf(poller.socket, () => does(poller)), { code, ...cause });
    });
  }

  it("is WEBSOCKET_CLOSED with 1006 when the connection is cut", async () => {
    await using running = await start(host);
    const { wire, socket } = await rawPair(running);
    const cause = await causeOf(socket, () => wire.reset());
    assertCause(cause, { reason: "transport close", code: "WEBSOCKET_CLOSED", wsCode: 1006 });
  });

  for (const [what, [does, cause]] of Object.entries(byWebTransport)) {
    it(`is WEBTRANSPORT_CLOSED when ${what}`, async () => {
      await using running = await start(host, webTransport);
      const client = await webTransportClient(running);
      const actual = await causeOf(client.socket, () => does(client));
      assertCause(actual, { reason: "transport close", code: "WEBTRANSPORT_CLOSED", ...cause });
    });
  }

  it("is missing when the client closes its WebTransport session without a code", async () => {
    await using running = await start(host, webTransport);
    const { pair, socket } = await webTransportClient(running);
    const left = next(socket, "disconnect");
    pair.close();
    assert.deepEqual(await left, ["transport close", undefined]);
  });

  it("is REPLACED when the client comes back before its connection is known to be dead", async () => {
    await using running = await start(host, { connectionStateRecovery: {} });
    const { wire, socket } = await rawPair(running);
    const { pid } = socket as unknown as { pid: string };
    const cause = await causeOf(socket, async () => {
      const again = await rawSession(running);
      again.sendText(`40{"pid":"${pid}"}`);
    });
    assertCause(cause, { reason: "transport close", code: "REPLACED" });
    await wire.closed;
  });

  it("is POST_ABORTED when the client goes away in the middle of one", async () => {
    await using running = await start(host);
    const { port, path, socket } = await Poller.open(running);
    const begun = new Promise<void>((resolve) => {
      running.io.engine.use((_req: unknown, _res: unknown, goOn: () => void) => {
        goOn();
        resolve();
      });
    });
    const cause = await causeOf(socket, async () => {
      const half = new HalfPost(port, path);
      await begun;
      half.abort();
    });
    assertCause(cause, { reason: "transport error", code: "POST_ABORTED" });
  });

  it("is PING_TIMEOUT with the numbers of the heartbeat", async () => {
    await using running = await start(host, { pingInterval: 200, pingTimeout: 300 });
    const { socket } = await rawPair(running);
    const { silentFor, ...cause } = await causeOf(socket, () => {});
    assertCause(cause, {
      reason: "ping timeout",
      code: "PING_TIMEOUT",
      pingInterval: 200,
      pingTimeout: 300,
    });
    assert.ok(Number.isInteger(silentFor) && Number(silentFor) >= 300, String(silentFor));
  });

  it("is SLOW_CONSUMER with the limit and the waiting bytes", async () => {
    await using running = await start(host, { maxBackpressure: 1000 });
    const { wire, socket } = await rawPair(running);
    wire.pause();
    const cause = await causeOf(socket, async () => {
      while (socket.connected) {
        socket.emit("n", "x".repeat(100_000));
        await new Promise(setImmediate);
      }
    });
    const { bufferedBytes } = cause;
    assertCause(cause, { reason: "transport error", code: "SLOW_CONSUMER", limit: 1000 });
    assert.ok(Number(bufferedBytes) > 1000);
  });

  host.it("is FAST_PRODUCER with the limit and the waiting bytes", { needs: "backlog" }, async () => {
    await using running = await start(host, { maxReceiveBacklog: 1000 });
    const { wire, socket } = await rawPair(running);
    socket.on("slow", () => {
      const end = performance.now() + 2;
      while (performance.now() < end);
    });
    const cause = await causeOf(socket, () => {
      const frame = encodeFrame(OPCODE.text, Buffer.from('42["slow"]'));
      wire.socket.write(Buffer.concat(Array.from({ length: 400 }, () => frame)));
    });
    assertCause(cause, { reason: "transport error", code: "FAST_PRODUCER", limit: 1000 });
    assert.ok(Number(cause["waitingBytes"]) > 1000);
  });

  for (const [what, leave] of [
    ["the client closes its WebSocket without a code", (wire) => wire.close()],
    ["the client closes its WebSocket with 1000", (wire) => wire.close(1000)],
    ["the client leaves its page", (wire) => wire.close(1001)],
    ["the client leaves the namespace", (wire) => wire.sendText("41")],
    ["the application disconnects it", (_wire, socket) => void socket.disconnect(true)],
    ["the application closes the connection", (_wire, socket) => socket.conn.close()],
  ] as [string, (wire: RawWebSocket, socket: Socket) => void][]) {
    it(`is missing when ${what}`, async () => {
      await using running = await start(host);
      const { wire, socket } = await rawPair(running);
      const left = next(socket, "disconnect");
      leave(wire, socket);
      assert.equal((await left)[1], undefined);
    });
  }

  it("is missing when the server shuts down", async () => {
    await using running = await start(host);
    const { socket } = await pair(running, { transports: ["websocket"] });
    const left = next(socket, "disconnect");
    await running.io.close();
    assert.deepEqual(await left, ["server shutting down", undefined]);
  });

  it("has the error that listeners of `error` got as its cause", async () => {
    await using running = await start(host);
    const { wire, socket } = await rawPair(running);
    const told = next<[Error]>(socket, "error");
    const left = next<[string, Error]>(socket, "disconnect");
    wire.sendText("49");
    assert.equal((await left)[1].cause, (await told)[0]);
  });
});

describe("docs/disconnects.md", () => {
  const page = readFileSync(new URL("../../docs/disconnects.md", import.meta.url), "utf8");
  const codesUnder = (heading: string): string[] => {
    const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
    return [...section.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map((match) => match[1]!).sort();
  };
  const ofEngine = (code: string): boolean =>
    Object.keys(parseErrors).indexOf(code) < Object.keys(parseErrors).indexOf("UNKNOWN_PACKET_TYPE");
  const parse = Object.keys(parseErrors);

  it("lists every code of the transports, and no other", () => {
    const abnormalClose = [...codesUnder("transport close"), ...codesUnder("ping timeout")];
    const listed = [...codesUnder("transport error"), ...abnormalClose].sort();
    assert.deepEqual(listed, [...Object.keys(transportErrors), ...ofConnections].sort());
  });

  it("lists every code of bad Engine.IO packets, and no other", () => {
    assert.deepEqual(codesUnder("parse error"), parse.filter(ofEngine).sort());
  });

  it("lists every code of bad Socket.IO packets, and no other", () => {
    assert.deepEqual(codesUnder("forced close"), Object.keys(packetErrors).sort());
    assert.deepEqual(codesUnder("Bad Socket.IO packets"), parse.filter((code) => !ofEngine(code)).sort());
  });

  it("lists every code of credentials that have ended", () => {
    assert.deepEqual(codesUnder("server namespace disconnect"), Object.keys(authErrors).sort());
  });

  it("lists every reason", () => {
    const source = readFileSync(new URL("../../packages/server/src/reasons.ts", import.meta.url), "utf8");
    const union = source.slice(source.indexOf("export type")).split(";")[0]!;
    const reasons = [...union.matchAll(/"([^"]+)"/g)].map((match) => match[1]);
    const listed = [...page.matchAll(/^\| `([a-z ]+)` \|/gm)].map((match) => match[1]);
    assert.deepEqual(new Set(listed), new Set(reasons));
  });

  it("has a test for every code", () => {
    const shown = [...Object.keys(byWebSocket), ...Object.keys(byPolling), ...others].sort();
    const existing = [
      ...Object.keys(transportErrors),
      ...ofConnections,
      ...parse.filter(ofEngine),
      ...Object.keys(packetErrors),
    ];
    assert.deepEqual(shown, [...new Set(existing)].sort());
  });
});
