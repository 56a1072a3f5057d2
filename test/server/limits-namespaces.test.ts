// How many namespaces clients may cause, and how many attachments a packet may have.
import assert from "node:assert/strict";
import { Server } from "@tidewire/server";
import type { LimitReport } from "@tidewire/server";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";
import type { WebSocketPeer } from "../support/engine/peers.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { collectGarbage } from "../support/process/garbage.ts";
import { bindTo } from "../support/server/bound.ts";
import type { Bound } from "../support/server/bound.ts";
import { pair } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { openOldManager } from "../support/server/old-clients.ts";
import { rawPair } from "../support/server/wires.ts";
import { next } from "../support/waiting/events.ts";

/** As many packets as fit into a POST of a megabyte, the largest by default, between those that join "/" and say that all is done. */
function flood(packet: (index: number) => string): { body: string; count: number } {
  const packets = ["40"];
  let size = 100;
  for (let i = 0; size < 1e6; i++) {
    packets.push(packet(i));
    size += packet(i).length + 1;
  }
  packets.push('42["done"]');
  return { body: packets.join("\x1e"), count: packets.length - 2 };
}

function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Posts the flood. Resolves when all of it is handled, with how many answers another client has got meanwhile, and the seconds it took. */
async function endure(
  { server, io }: Bound,
  body: string,
): Promise<{ peer: PollingPeer; answers: number; seconds: number }> {
  let isDone = false;
  io.on("connection", (socket) => {
    socket.on("echo", (answer: () => void) => answer());
    socket.on("done", () => (isDone = true));
  });
  const { socket: other } = await openWebSocket(server);
  other.sendText("40");
  await other.next();
  const peer = await PollingPeer.open(server);
  const posted = peer.send(body);
  const polls = (async () => {
    while (!isDone) await peer.poll();
  })();
  const begin = performance.now();
  let answers = 0;
  for (; !isDone; answers++) {
    other.sendText(`42${answers}["echo"]`);
    assert.equal(await other.next(), `43${answers}[]`);
  }
  await posted;
  other.reset();
  peer.session.send("the last");
  await polls;
  return { peer, answers, seconds: (performance.now() - begin) / 1000 };
}

function reportsOf(io: Server): LimitReport[] {
  const seen: LimitReport[] = [];
  io.on("limit_exceeded", (report) => seen.push(report));
  return seen;
}

onEveryHost("a megabyte of CONNECTs in one POST", engineHosts, (host) => {
  it("opens a thousand namespaces, not 80,000, and others are served meanwhile", async () => {
    await using bound = await bindTo(host, {}, { pingInterval: 600_000 });
    const { io, server } = bound;
    io.of(/^\/\w+$/);
    const seen = reportsOf(io);
    const { body, count } = flood((i) => `40/${i.toString(36)},`);
    assert.ok(count > 80_000);
    const before = heapInUse();
    const { peer, answers, seconds } = await endure(bound, body);
    assert.ok(answers > 10, `another client got ${answers} answers`);
    assert.equal(io._nsps.size, 1000);
    assert.equal(io._limitMonitor.counts["TOO_MANY_NAMESPACES"], count - 999);
    const { code, limit, times, namespace, conn } = seen[0]!;
    assert.deepEqual(
      { code, limit, times, namespace },
      { code: "TOO_MANY_NAMESPACES", limit: 1000, times: 1, namespace: "/rr" },
    );
    assert.equal(conn, peer.session);
    // The first one, and then what is gathered in each second.
    assert.ok(seen.length <= 2 + seconds, `${seen.length} reports in ${seconds} s`);
    peer.session.close(true);
    await server.closed(peer.session);
    const kept = (heapInUse() - before) / 2 ** 20;
    assert.ok(kept < 20, `${kept} MB are kept`);
  });

  it("leaves ten thousand empty namespaces at most if it leaves each again", async () => {
    await using bound = await bindTo(host);
    const { io, server } = bound;
    io.of(/^\/\w+$/);
    let isDone = false;
    io.on("connection", (socket) => socket.on("done", () => (isDone = true)));
    const { body } = flood((i) => `40/${i.toString(36)},\x1e41/${i.toString(36)},`);
    const peer = await PollingPeer.open(server);
    await peer.send(body);
    // It is closed if too many packets wait for a CONNECT at once.
    while (!isDone && peer.session.readyState !== "closed") await peer.get();
    assert.ok(io._nsps.size <= 1 + 10_000);
  });
});

onEveryHost("clients that join and leave one namespace after the other", engineHosts, (host) => {
  it("leave ten thousand empty ones", async () => {
    await using bound = await bindTo(host);
    const { server, io } = bound;
    io.of(/^\/\w+$/);
    const peer = await PollingPeer.open(server);
    await peer.send("40");
    await peer.poll();
    const before = heapInUse();
    for (let i = 0; i < 12_000; i += 400) {
      const names = Array.from({ length: 400 }, (_, k) => `/n${i + k}`);
      await peer.send(names.map((name) => `40${name},\x1e41${name},`).join("\x1e"));
      await peer.pollPackets(400);
    }
    assert.equal(io._nsps.size, 1 + 10_000);
    assert.equal(io._nsps.has("/n1999"), false);
    assert.equal(io._nsps.has("/n2000"), true);
    const kept = (heapInUse() - before) / 2 ** 20;
    assert.ok(kept < 40, `${kept} MB are kept`);
  });
});

/** A client that has joined "/" over a WebSocket, by hand. */
async function joined({ server }: Bound): Promise<WebSocketPeer> {
  const peer = await openWebSocket(server);
  peer.socket.sendText("40");
  await peer.socket.next();
  return peer;
}

/** Joins or leaves a namespace; returns the answer without the id of the socket. */
async function ask({ socket }: WebSocketPeer, name: string): Promise<string> {
  socket.sendText(`40${name},`);
  return String(await socket.next()).replace(/\{"sid":.*/, "joined");
}

/** Leaves a namespace; resolves when that is handled. */
async function leave(io: Server, { socket }: WebSocketPeer, name: string): Promise<void> {
  const [left] = io._nsps.get(name)!.sockets.values();
  const gone = next(left, "disconnect");
  socket.sendText(`41${name},`);
  await gone;
}

onEveryHost("limits of namespaces", engineHosts, (host) => {
  it("refuse a CONNECT beyond namespacesPerConnection, and admit it once another was left", async () => {
    await using bound = await bindTo(host, { limits: { namespacesPerConnection: 2 } });
    const { io } = bound;
    for (const name of ["/a", "/b", "/c"]) io.of(name);
    const peer = await joined(bound);
    const refused = `{"message":"Too many namespaces on this connection","data":{"code":"TOO_MANY_NAMESPACES","limit":2}}`;
    assert.equal(await ask(peer, "/a"), "40/a,joined");
    assert.equal(await ask(peer, "/b"), `44/b,${refused}`);
    await leave(io, peer, "/a");
    assert.equal(await ask(peer, "/b"), "40/b,joined");
  });

  it("count a CONNECT that a middleware holds once, however often the client repeats it", async () => {
    await using bound = await bindTo(host, { limits: { namespacesPerConnection: 2 } });
    const { io } = bound;
    let admit = (): void => {};
    io.of("/held").use((_socket, proceed) => (admit = proceed));
    io.of("/other");
    const peer = await joined(bound);
    peer.socket.sendText("40/held,");
    assert.match(await ask(peer, "/other"), /^44.*TOO_MANY_NAMESPACES/);
    peer.socket.sendText("40/held,");
    assert.match(await ask(peer, "/other"), /^44.*TOO_MANY_NAMESPACES/);
    admit();
    assert.match(String(await peer.socket.next()), /^40\/held,/);
  });

  it("drop the events behind a CONNECT that they refuse, and the connection stays", async () => {
    await using bound = await bindTo(host, { limits: { namespacesPerConnection: 1 } });
    bound.io.of("/a");
    const peer = await joined(bound);
    peer.socket.sendText("40/a,");
    peer.socket.sendText('42/a,["one"]');
    assert.match(String(await peer.socket.next()), /^44\/a,/);
    assert.equal(peer.session.readyState, "open");
  });

  it("refuse what would create a namespace beyond limits.namespaces; existing ones stay open to all", async () => {
    await using bound = await bindTo(host, { limits: { namespaces: 2 } });
    const { io } = bound;
    io.of(/^\/\w$/);
    const seen = reportsOf(io);
    const peer = await joined(bound);
    const other = await joined(bound);
    assert.equal(await ask(peer, "/a"), "40/a,joined");
    assert.equal(await ask(peer, "/b"), "40/b,joined");
    const refused = `{"message":"Too many namespaces on this server","data":{"code":"NAMESPACES_EXHAUSTED","limit":2}}`;
    assert.equal(await ask(other, "/c"), `44/c,${refused}`);
    assert.equal(await ask(other, "/a"), "40/a,joined");
    assert.deepEqual(
      seen.map(({ code, limit, namespace, conn }) => [code, limit, namespace, conn]),
      [["NAMESPACES_EXHAUSTED", 2, "/c", other.session]],
    );
    assert.deepEqual(io._limitMonitor.counts, { NAMESPACES_EXHAUSTED: 1 });
    io.of("/mine");
    assert.equal(await ask(other, "/mine"), "40/mine,joined");
  });

  it("make room by removing the namespace that has been empty for the longest time", async () => {
    await using bound = await bindTo(host, { limits: { namespaces: 3 } });
    const { io } = bound;
    io.of(/^\/\w$/);
    const peer = await joined(bound);
    for (const name of ["/a", "/b", "/c"]) await ask(peer, name);
    for (const name of ["/b", "/a"]) await leave(io, peer, name);
    assert.equal(await ask(peer, "/d"), "40/d,joined");
    assert.deepEqual([...io._nsps.keys()], ["/", "/a", "/c", "/d"]);
  });

  it("keep what the application has named, with its listeners", async () => {
    await using bound = await bindTo(host, { limits: { emptyNamespaces: 1 } });
    const { io } = bound;
    io.of(/^\/\w$/);
    const peer = await joined(bound);
    for (const name of ["/a", "/b", "/c"]) await ask(peer, name);
    const mine = io.of("/a");
    for (const name of ["/a", "/b", "/c"]) await leave(io, peer, name);
    assert.deepEqual([...io._nsps.keys()], ["/", "/a", "/c"]);
    assert.equal(io.of("/a"), mine);
  });
});

onEveryHost("limits of namespaces", serverHosts, (host) => {
  it("are a connect_error of the official client, with the code", async () => {
    await using running = await host.start({ limits: { namespacesPerConnection: 1 } });
    running.io.of("/a");
    const { client } = await pair(running);
    const [error] = await next<[Error & { data: unknown }]>(client.io.socket("/a"), "connect_error");
    assert.equal(error.message, "Too many namespaces on this connection");
    assert.deepEqual(error.data, { code: "TOO_MANY_NAMESPACES", limit: 1 });
    assert.equal(client.connected, true);
  });

  it("are an error event of the client of Socket.IO 2", async () => {
    await using running = await host.start({
      allowEIO3: true,
      limits: { namespacesPerConnection: 1 },
    });
    running.io.of("/a");
    const manager = openOldManager(running.url);
    const client = manager.socket("/a");
    running.closeWith(() => client.close());
    const [error] = await next(client, "error");
    assert.deepEqual(error, { code: "TOO_MANY_NAMESPACES", limit: 1 });
  });
});

onEveryHost("the limit of attachments", serverHosts, (host) => {
  it("closes the connection that announces more than ten, before any of them has come", async () => {
    await using running = await host.start();
    const seen: LimitReport[] = [];
    (running.io as unknown as Server).on("limit_exceeded", (report) => seen.push(report));
    const { wire, socket } = await rawPair(running);
    const gone = next<[string, Error & { code: string; parseCode: string; limit: number }]>(
      socket,
      "disconnect",
    );
    wire.sendText('4511-["bytes"]');
    const [reason, { code, parseCode, limit }] = await gone;
    assert.deepEqual(
      [reason, code, parseCode, limit],
      ["forced close", "BAD_SOCKET_PACKET", "TOO_MANY_ATTACHMENTS", 10],
    );
    assert.deepEqual(
      seen.map((report) => [report.code, report.limit, report.conn]),
      [["TOO_MANY_ATTACHMENTS", 10, socket.conn]],
    );
  });

  it("is what limits.attachments says", async () => {
    await using running = await host.start({ limits: { attachments: 12 } });
    const { client, socket } = await pair(running);
    const parts = Array.from({ length: 12 }, (_, i) => Buffer.from([i]));
    const come = next(socket, "bytes");
    client.emit("bytes", parts);
    assert.deepEqual(await come, [parts]);
    const gone = next<[string, Error & { parseCode: string }]>(socket, "disconnect");
    client.emit("bytes", [...parts, Buffer.from([12])]);
    assert.equal((await gone)[1].parseCode, "TOO_MANY_ATTACHMENTS");
  });
});

describe("limits", () => {
  it("are checked as options", () => {
    assert.throws(() => new Server({ limits: { namespaces: "many" as unknown as number } }), {
      code: "INVALID_OPTION",
      option: "limits.namespaces",
    });
    assert.throws(() => new Server({ limits: { attachments: -1 } }), { option: "limits.attachments" });
  });
});
