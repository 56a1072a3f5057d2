import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { internals } from "@tidewire/engine";
import { bundled } from "../../../test/support/process/bundled.ts";
import { next } from "../../../test/support/waiting/events.ts";
import { PATIENCE, Queue } from "../../../test/support/waiting/queue.ts";
import type { ClusterError, LinkError } from "../src/errors.ts";
import type { Greeting } from "../src/link/greeting.ts";
import { LocalNetwork } from "../src/local.ts";
import { Members } from "../src/members.ts";
import { defaultDirectory } from "../src/socket-directory.ts";

const [NODE = ""] = await bundled(new URL("support/local-node.ts", import.meta.url));

/** A node in this process. */
class LocalNode {
  readonly members: Members;
  readonly network: LocalNetwork;
  readonly events: Queue<string> = new Queue("an event of a node");

  constructor(directory: string, greeting: Partial<Greeting> = {}) {
    this.members = new Members(new internals.NodeEventLoop(), greeting);
    this.network = new LocalNetwork(this.members, directory, (error) => this.events.push(error.message));
    this.members.on("join", (id) => this.events.push(`join ${id}`));
    this.members.on("leave", (id) => this.events.push(`leave ${id}`));
    this.members.on("renew", (id) => this.events.push(`renew ${id}`));
  }

  async start(): Promise<this> {
    await this.network.start();
    return this;
  }

  [Symbol.dispose](): void {
    this.network.stop();
    this.members.leave();
  }
}

/** A node in a process of its own. */
class NodeProcess {
  readonly child: ChildProcess;
  readonly events: Queue<string> = new Queue("an event of a process");

  constructor(directory: string, greeting: Partial<Greeting> = {}) {
    this.child = fork(NODE, [directory, JSON.stringify(greeting)], { execArgv: [] });
    this.child.on("message", ({ event, id }: { event: string; id: string }) =>
      this.events.push(`${event} ${id}`),
    );
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }
}

/** Waits for something that emits no event, such as a file. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!condition()) {
    assert.equal(performance.now() < end, true, "in time");
    await setTimeout(20);
  }
}

describe("nodes of one machine", () => {
  let directory: string;
  let parent: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    directory = join(parent, "cluster");
  });

  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const start = (greeting?: Partial<Greeting>): Promise<LocalNode> =>
    new LocalNode(directory, greeting).start();

  it("are linked when they have started, whoever is first", async () => {
    using b = await start({ id: "BBBB" });
    using a = await start({ id: "AAAA" });
    using c = await start({ id: "CCCC" });
    assert.deepEqual([...c.members.peers.keys()].toSorted(), ["AAAA", "BBBB"]);
    assert.deepEqual([await a.events.next(), await a.events.next()], ["join BBBB", "join CCCC"]);
    assert.deepEqual([await b.events.next(), await b.events.next()], ["join AAAA", "join CCCC"]);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
  });

  it("are linked when they start at the same time", async () => {
    const nodes = await Promise.all(["DDDD", "AAAA", "CCCC", "BBBB"].map((id) => start({ id })));
    for (const { members } of nodes) assert.equal(members.peers.size, 3);
    for (const node of nodes) node[Symbol.dispose]();
  });

  it("carry large messages, and bursts", async () => {
    using a = await start({ id: "AAAA" });
    using b = await start({ id: "BBBB" });
    assert.equal(await a.events.next(), "join BBBB");
    const received = new Queue<number>("a message");
    b.members.handle(100, { onMessage: (_link, payload) => received.push(payload.length) });
    const link = a.members.link("BBBB")!;
    const large = Buffer.alloc(20_000_000, "x");
    link.send(100, [large]);
    for (let size = 0; size < 2000; size++) link.send(100, [large.subarray(0, size)]);
    assert.equal(link.isOverloaded, true);
    assert.equal(await received.next(), large.length);
    for (let size = 0; size < 2000; size++) assert.equal(await received.next(), size);
    assert.equal(link.isOverloaded, false);
  });

  it("leave nothing behind when they leave", async () => {
    using a = await start({ id: "AAAA" });
    const b = await start({ id: "BBBB" });
    assert.equal(await a.events.next(), "join BBBB");
    b[Symbol.dispose]();
    assert.equal(await a.events.next(), "leave BBBB");
    assert.deepEqual(readdirSync(directory), ["AAAA.sock"]);
  });

  it("lease their ids: who wants one that is taken gets another", async () => {
    using _first = await start({ id: "AAAA" });
    using second = await start({ id: "AAAA" });
    assert.notEqual(second.members.self, "AAAA");
    assert.deepEqual([...second.members.peers.keys()], ["AAAA"]);
  });

  it("leave no socket behind when they take several ids at once", async () => {
    using a = await start({ id: "AAAA" });
    for (let count = 0; count < 3; count++) a.members.renew();
    const socket = `${a.members.self}.sock`;
    await until(() => existsSync(join(directory, socket)));
    assert.deepEqual(readdirSync(directory), [socket]);
    using b = await start();
    assert.equal(b.members.peers.has(a.members.self), true);
  });

  it("listen again when somebody has removed the socket, or the directory", async () => {
    using a = await start({ id: "AAAA" });
    unlinkSync(join(directory, "AAAA.sock"));
    await until(() => existsSync(join(directory, "AAAA.sock")));
    using b = await start({ id: "BBBB" });
    assert.equal(await a.events.next(), "join BBBB");
    rmSync(directory, { recursive: true });
    await until(() => existsSync(join(directory, "AAAA.sock")) && existsSync(join(directory, "BBBB.sock")));
    using c = await start({ id: "CCCC" });
    assert.equal(c.members.peers.size, 2);
    assert.equal(b.members.peers.has("AAAA"), true);
  });

  describe("refuse a directory", () => {
    const code = async (given: string): Promise<string> => {
      using node = new LocalNode(given);
      return node.network.start().then(
        () => "none",
        (error: ClusterError) => error.code,
      );
    };

    it("that others can enter", async () => {
      mkdirSync(directory);
      for (const mode of [0o710, 0o701, 0o777]) {
        chmodSync(directory, mode);
        assert.equal(await code(directory), "OPEN_DIRECTORY");
      }
    });

    it("that is a file, or a link to a directory", async () => {
      writeFileSync(directory, "");
      assert.equal(await code(directory), "FOREIGN_DIRECTORY");
      mkdirSync(join(parent, "own"), { mode: 0o700 });
      symlinkSync(join(parent, "own"), join(parent, "link"));
      assert.equal(await code(join(parent, "link")), "FOREIGN_DIRECTORY");
    });

    const isRoot = process.getuid?.() === 0;
    (isRoot ? it : it.skip)("of somebody else", async () => {
      mkdirSync(directory, { mode: 0o700 });
      chownSync(directory, 65_534, 65_534);
      assert.equal(await code(directory), "FOREIGN_DIRECTORY");
    });

    describe("for all clusters of the user,", () => {
      const { TMPDIR } = process.env;
      const own = (): string => join(parent, `tidewire-${process.getuid!()}`);

      beforeEach(() => (process.env["TMPDIR"] = parent));

      afterEach(() => {
        delete process.env["TMPDIR"];
        if (TMPDIR !== undefined) process.env["TMPDIR"] = TMPDIR;
      });

      it("in which others could put another one in its place", async () => {
        mkdirSync(own());
        chmodSync(own(), 0o777);
        assert.equal(await code(defaultDirectory("chat")), "OPEN_DIRECTORY");
        chmodSync(own(), 0o700);
        assert.equal(await code(defaultDirectory("chat")), "none");
      });

      it("that is a link", async () => {
        mkdirSync(directory, { mode: 0o700 });
        symlinkSync(directory, own());
        assert.equal(await code(defaultDirectory("chat")), "FOREIGN_DIRECTORY");
      });
    });

    it("whose path is too long for sockets", async () => {
      assert.equal(await code(join(parent, "x".repeat(100))), "PATH_TOO_LONG");
    });

    it("the default one belongs to the user", () => {
      assert.equal(defaultDirectory("chat"), join(tmpdir(), `tidewire-${process.getuid!()}`, "chat"));
    });
  });

  describe("in spite of strangers:", () => {
    it("garbage on the socket ends that connection alone", async () => {
      using a = await start({ id: "AAAA" });
      using _b = await start({ id: "BBBB" });
      const socket = connect(join(directory, "AAAA.sock"));
      socket.write("GET / HTTP/1.1\r\n\r\n");
      await next(socket, "close");
      assert.deepEqual(a.events.pending, ["join BBBB"]);
    });

    it("a socket that never greets holds up nobody for long", async () => {
      mkdirSync(directory, { mode: 0o700 });
      const mute = createServer(() => {});
      mute.listen(join(directory, "ZZZZ.sock"));
      await next(mute, "listening");
      using a = await start({ id: "AAAA" });
      using b = await start({ id: "BBBB" });
      assert.equal(b.members.peers.size, 1);
      assert.equal(a.members.peers.size, 1);
      assert.equal(existsSync(join(directory, "ZZZZ.sock")), true);
      mute.close();
    });

    it("other files stay", async () => {
      mkdirSync(directory, { mode: 0o700 });
      writeFileSync(join(directory, "README"), "");
      writeFileSync(join(directory, "AAAA.sock"), "");
      using b = await start({ id: "BBBB" });
      assert.equal(b.members.peers.size, 0);
      assert.equal(existsSync(join(directory, "README")), true);
    });
  });

  describe("in processes of their own", () => {
    it("remove the socket of one that was killed", async () => {
      using killed = new NodeProcess(directory, { id: "BBBB" });
      assert.equal(await killed.events.next(), "ready BBBB");
      using a = await start({ id: "AAAA" });
      using c = await start({ id: "CCCC" });
      assert.deepEqual([await a.events.next(), await a.events.next()], ["join BBBB", "join CCCC"]);
      const left = next<[string, LinkError]>(a.members, "leave");
      killed.child.kill("SIGKILL");
      const [, { code }] = await left;
      assert.notEqual(code, "HEARTBEAT_LOST");
      assert.equal(c.members.peers.has("AAAA"), true);
      using d = await start({ id: "DDDD" });
      assert.deepEqual([...d.members.peers.keys()].toSorted(), ["AAAA", "CCCC"]);
      await until(() => !existsSync(join(directory, "BBBB.sock")));
      assert.deepEqual(readdirSync(directory).toSorted(), ["AAAA.sock", "CCCC.sock", "DDDD.sock"]);
    });

    it("give up one that is stopped; it comes back under another id", async () => {
      using stopped = new NodeProcess(directory, { id: "BBBB" });
      assert.equal(await stopped.events.next(), "ready BBBB");
      using a = await start({ id: "AAAA" });
      assert.equal(await a.events.next(), "join BBBB");
      assert.equal(await stopped.events.next(), "join AAAA");
      const left = next<[string, LinkError]>(a.members, "leave");
      stopped.child.kill("SIGSTOP");
      const [id, { code }] = await left;
      assert.deepEqual([id, code], ["BBBB", "HEARTBEAT_LOST"]);
      assert.equal(await a.events.next(), "leave BBBB");
      // Nobody takes away the id of a process that lives.
      assert.equal(existsSync(join(directory, "BBBB.sock")), true);
      stopped.child.kill("SIGCONT");
      assert.equal(await stopped.events.next(), "leave AAAA");
      const [event, renewed] = (await stopped.events.next()).split(" ");
      assert.equal(event, "renew");
      assert.notEqual(renewed, "BBBB");
      assert.equal(await stopped.events.next(), "join AAAA");
      assert.equal(await a.events.next(), `join ${renewed}`);
      assert.deepEqual(readdirSync(directory).toSorted(), ["AAAA.sock", `${renewed}.sock`].toSorted());
    });

    it("do not give up one that is blocked for two seconds", async () => {
      using blocked = new NodeProcess(directory, { id: "BBBB" });
      assert.equal(await blocked.events.next(), "ready BBBB");
      using a = await start({ id: "AAAA" });
      assert.equal(await blocked.events.next(), "join AAAA");
      blocked.child.send("block");
      assert.equal(await blocked.events.next(), "blocked BBBB");
      const { rtt } = a.members.link("BBBB")!;
      await until(() => a.members.link("BBBB")?.rtt !== rtt);
      assert.deepEqual(a.events.pending, ["join BBBB"]);
    });

    it("keep one of another cluster, or of another version, out", async () => {
      using a = await start({ id: "AAAA", cluster: "one" });
      using other = new NodeProcess(directory, { id: "BBBB", cluster: "two" });
      using newer = new NodeProcess(directory, { id: "CCCC", cluster: "one", version: 9 });
      assert.equal(await other.events.next(), "ready BBBB");
      assert.equal(await newer.events.next(), "ready CCCC");
      assert.deepEqual(a.events.pending, []);
    });

    it("end when their server does: links keep no process alive", async () => {
      using a = await start({ id: "AAAA" });
      using process = new NodeProcess(directory, { id: "BBBB" });
      assert.equal(await a.events.next(), "join BBBB");
      assert.equal(await process.events.next(), "join AAAA");
      assert.equal(await process.events.next(), "ready BBBB");
      process.child.disconnect();
      const [exitCode] = await next<[number]>(process.child, "exit");
      assert.equal(exitCode, 0);
      assert.equal(await a.events.next(), "leave BBBB");
    });
  });
});
