// New clients that come to a node which takes none any more: another one takes them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemoryUpgradeError } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import { onEveryHost } from "../../../test/support/hosts/on-every-host.ts";
import { serverHosts } from "../../../test/support/server/hosts.ts";
import { openAnyClient, anyConnected, anyUpgraded, ask } from "../../../test/support/cluster/any-client.ts";
import type { AnyClientOptions } from "../../../test/support/cluster/any-client.ts";
import { transports } from "../../../test/support/server/clients.ts";
import { needUws } from "../../../test/support/uws/absent.ts";
import { closing, owning } from "../../../test/support/waiting/closing.ts";
import { next } from "../../../test/support/waiting/events.ts";
import { NetworkClient } from "../../../test/support/wire/network-client.ts";
import { cluster } from "../src/cluster.ts";
import { joinInMemory } from "../src/link/memory-link.ts";
import { MemoryNode, MemoryNodes } from "./memory-nodes.ts";
import type { MemoryNodesOptions } from "./memory-nodes.ts";

const polling = "/engine.io/?EIO=4&transport=polling";
const websocket = "/engine.io/?EIO=4&transport=websocket";

/** Two nodes that stay, and one that drains. */
class Drained extends MemoryNodes {
  readonly drained: MemoryNode;
  readonly others: readonly MemoryNode[];

  constructor(options: MemoryNodesOptions = {}) {
    super(["AAAA", "BBBB", "CCCC"], { engine: { allowEIO3: true }, ...options });
    const [drained, ...others] = this.nodes as [MemoryNode, ...MemoryNode[]];
    this.drained = drained;
    this.others = others;
    drained.drain();
    this.loop.advance(0);
  }

  /** A handshake at the node that drains. */
  async open(url: string = polling) {
    const response = await this.done(this.drained.host.request({ url }));
    const sid = /sid\\?":\\?"([\w-]+)/.exec(response.body.toString())?.[1] ?? "";
    return { ...response, sid };
  }
}

describe("cluster: a node that drains", () => {
  for (const [name, query] of [
    ["EIO4", "EIO=4&transport=polling"],
    ["EIO3", "EIO=3&transport=polling"],
    ["JSONP", "EIO=3&transport=polling&j=0"],
  ] as const) {
    it(`lets others take clients that begin with long-polling, in turn: ${name}`, async () => {
      const nodes = new Drained();
      const url = `/engine.io/?${query}`;
      const owners: string[] = [];
      for (let count = 0; count < 4; count++) {
        const { status, headers, sid } = await nodes.open(url);
        // The next connection is made to a node that stays.
        assert.deepEqual([status, headers["connection"]], [200, "close"]);
        owners.push(sid.slice(0, 4));
      }
      assert.deepEqual(owners, ["BBBB", "CCCC", "BBBB", "CCCC"]);
      assert.deepEqual(nodes.drained.sessions, []);
    });
  }

  it("passes on their further requests, also before their session is bound", async () => {
    const nodes = new Drained();
    const { sid } = await nodes.open();
    const owner = nodes.others[0]!;
    const messages: unknown[] = [];
    owner.engine.on("connection", (session) => session.on("message", (data: unknown) => messages.push(data)));
    const url = `${polling}&sid=${sid}`;
    const post = nodes.drained.host.request({ method: "POST", url, body: "4hello" });
    await nodes.settle();
    assert.equal(owner.sessions.length, 0);
    nodes.loop.advance(100);
    assert.equal((await nodes.done(post)).body.toString(), "ok");
    assert.deepEqual(messages, ["hello"]);
    const socket = await nodes.settled(nodes.drained.host.connect({ url: `${websocket}&sid=${sid}` }));
    socket.send("2probe");
    socket.send("5");
    await nodes.settle();
    assert.equal(owner.sessions[0]!.transport.name, "websocket");
  });

  for (const protocol of [3, 4]) {
    it(`relays clients that begin with WebSocket: EIO${protocol}`, async () => {
      const nodes = new Drained();
      const url = `/engine.io/?EIO=${protocol}&transport=websocket`;
      const socket = await nodes.settled(nodes.drained.host.connect({ url }));
      const frames: unknown[] = [];
      socket.onmessage = (data) => frames.push(data);
      await nodes.settle();
      const [session] = nodes.others[0]!.sessions;
      assert.deepEqual([session?.protocol, session?.transport.name], [protocol, "websocket"]);
      assert.match(String(frames[0]), new RegExp(`^0{"sid":"${session!.id}"`));
      session!.send("hello");
      await nodes.settle();
      assert.equal(frames[1], "4hello");
    });
  }

  it("does not close before clients that it has passed on have their answer", async () => {
    const nodes = new Drained();
    const admitting: (() => void)[] = [];
    for (const { engine } of nodes.others)
      engine.opts.allowRequest = (_req, done) => void admitting.push(() => done(null, true));
    const call = nodes.drained.host.request({ url: polling });
    const opening = nodes.drained.host.connect({ url: websocket });
    await nodes.settle();
    let hasRetired = false;
    const retired = nodes.drained.directory.retire().then(() => (hasRetired = true));
    nodes.loop.advance(1000);
    for (const admit of admitting) {
      await nodes.settle();
      assert.equal(hasRetired, false);
      admit();
    }
    assert.equal((await nodes.done(call)).status, 200);
    await nodes.settled(opening);
    await nodes.settled(retired);
  });

  it("answers the polls of a node that joins while its connections are about to close", async () => {
    const options: MemoryNodesOptions = { binding: { bind: "early" } };
    const nodes = new MemoryNodes(["AAAA"], options);
    const [front] = nodes.nodes as [MemoryNode];
    const retired = front.directory.retire();
    const owner = new MemoryNode(nodes.loop, "BBBB", options);
    joinInMemory(nodes.loop, front.members, owner.members);
    nodes.loop.advance(0);
    await nodes.done(owner.host.request({ url: polling }));
    const poll = front.host.request({ url: `${polling}&sid=${owner.sessions[0]!.id}` });
    const { body, headers } = await nodes.done(poll);
    assert.deepEqual([body.toString(), headers["connection"]], ["6", "close"]);
    nodes.loop.advance(5000);
    await retired;
  });

  it("has the middlewares run where the client is taken, which see the whole request", async () => {
    const nodes = new Drained();
    nodes.drained.engine.use(() => assert.fail("at the node that drains"));
    const seen: unknown[] = [];
    for (const { engine } of nodes.others)
      engine.use((req, res, next) => {
        seen.push(req.headers["x-own"], req.socket.remoteAddress);
        res.setHeader("Set-Cookie", "a=1");
        next();
      });
    const call = nodes.drained.host.request({ url: polling, headers: { "x-own": "yes" } });
    const { headers } = await nodes.done(call);
    assert.deepEqual([seen, headers["set-cookie"]], [["yes", "127.0.0.1"], "a=1"]);
    const socket = await nodes.settled(nodes.drained.host.connect({ url: websocket }));
    assert.equal(String(socket.headers["set-cookie"]), "a=1");
  });

  it("lets the other node refuse", async () => {
    const nodes = new Drained();
    for (const { engine } of nodes.others) engine.opts.allowRequest = (_req, done) => done("not you", false);
    const { status, body } = await nodes.open();
    assert.deepEqual([status, body.toString()], [403, '{"code":4,"message":"not you"}']);
    const bad = await nodes.open("/engine.io/?EIO=4&transport=pigeons");
    assert.equal(bad.status, 400);
  });

  it("does not ask nodes that drain, too; those that are joining only if nobody else is there", async () => {
    const nodes = new Drained();
    const [one, other] = nodes.others as [MemoryNode, MemoryNode];
    one.say("joining");
    nodes.loop.advance(0);
    for (let count = 0; count < 3; count++) assert.match((await nodes.open()).sid, /^CCCC/);
    other.drain();
    nodes.loop.advance(0);
    assert.match((await nodes.open()).sid, /^BBBB/);
  });

  it("hands on what came to a second node that had begun to drain meanwhile", async () => {
    const nodes = new Drained();
    const call = nodes.drained.host.request({ url: polling });
    nodes.others[0]!.drain();
    assert.match((await nodes.done(call)).body.toString(), /"sid":"CCCC/);
  });

  it("refuses with 503 and Retry-After when nobody is left", async () => {
    const nodes = new Drained();
    for (const other of nodes.others) other.drain();
    nodes.loop.advance(0);
    const { status, headers } = await nodes.open();
    assert.deepEqual([status, headers["retry-after"], headers["connection"]], [503, "1", "close"]);
    const refused = nodes.settled(nodes.drained.host.connect({ url: websocket }));
    await assert.rejects(refused, ({ response }: MemoryUpgradeError) => response.status === 503);
  });

  it("refuses with 503 when the link breaks before the answer", async () => {
    const nodes = new Drained();
    for (const { engine } of nodes.others) engine.use(() => {});
    const call = nodes.drained.host.request({ url: polling });
    const socket = nodes.drained.host.connect({ url: websocket });
    socket.catch(() => {});
    await nodes.settle();
    for (const connection of nodes.connections) connection.cut();
    const { status, headers } = await nodes.done(call);
    assert.deepEqual([status, headers["retry-after"]], [503, "1"]);
    await assert.rejects(
      nodes.settled(socket),
      ({ response }: MemoryUpgradeError) => response.status === 503,
    );
  });

  it("takes new clients itself once it stays after all", async () => {
    const nodes = new Drained();
    nodes.drained.engine.startAgain();
    nodes.drained.directory.drain(false);
    nodes.drained.say("up");
    assert.match((await nodes.open()).sid, /^AAAA/);
  });
});

onEveryHost("cluster: a server that drains", serverHosts, (host) => {
  it("serves new clients of all kinds through the others, and the files of the client", async function () {
    this.timeout(20_000);
    if (host.name === "uws") needUws();
    const parent = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    using _parent = closing(() => rmSync(parent, { recursive: true, force: true }));
    const servers = [0, 1].map(
      () =>
        new Server(0, {
          host: host.name as "uws" | "node",
          allowEIO3: true,
          cluster: cluster({ directory: join(parent, "c"), name: "test" }),
        }),
    );
    const [drained, other] = servers as [Server, Server];
    other.on("connection", (socket) =>
      socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value)),
    );
    await using _servers = owning({}, { [Symbol.asyncDispose]: () => closeAll(servers) });
    await Promise.all(servers.map(({ cluster: nodes }) => next(nodes, "ready")));
    void drained.drain();
    const { port } = drained.httpServer.address() as AddressInfo;
    for (const version of ["2", "4"])
      for (const [transport, options] of Object.entries(transports)) {
        const client = openAnyClient(version, `http://127.0.0.1:${port}`, options as AnyClientOptions);
        using _client = closing(() => void client.close());
        await anyConnected(client);
        if (transport === "upgrade") await anyUpgraded(client);
        const bytes = Buffer.from([1, 2, 3]);
        assert.deepEqual(Buffer.from(await ask<Uint8Array>(client, "echo", bytes)), bytes);
      }
    assert.equal(drained.engine.clientsCount, 0);
    using wire = new NetworkClient(port);
    const file = await wire.get("/socket.io/socket.io.js", { headers: { connection: "keep-alive" } });
    assert.deepEqual([file.status, file.headers.connection], [200, "close"]);
  });
});

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((io) => io.close()));
}
