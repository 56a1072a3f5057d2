// Nodes of several machines: real sockets on several addresses of the loopback interface, with real TLS.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { cluster } from "@tidewire/cluster";
import { internals } from "@tidewire/engine";
import { freePort } from "../../../test/support/hosts/free-port.ts";
import { next } from "../../../test/support/waiting/events.ts";
import { Queue } from "../../../test/support/waiting/queue.ts";
import { dns } from "../src/discovery/dns.ts";
import type { Greeting } from "../src/link/greeting.ts";
import { LocalNetwork } from "../src/local.ts";
import { linkSecurity } from "../src/machines/link-security.ts";
import { MachineNetwork } from "../src/machines/machine-network.ts";
import type { LinkListenOptions } from "../src/machines/machine-network.ts";
import { Members } from "../src/members.ts";

const SECRET = "a secret that all nodes share";

/** A node in this process, found by its address. */
class MachineNode {
  readonly members: Members;
  readonly network: MachineNetwork;
  readonly local: LocalNetwork | undefined;
  readonly events: Queue<string> = new Queue("an event of a node");
  readonly refusals: Queue<Error> = new Queue("a refusal");

  constructor(
    listen: LinkListenOptions,
    found: string[],
    greeting: Partial<Greeting> = {},
    directory?: string,
  ) {
    this.members = new Members(new internals.NodeEventLoop(), greeting);
    this.network = new MachineNetwork(this.members, dns(...found), listen, {
      onAway: (error) => this.events.push(`away ${error.message}`),
      onBack: () => this.events.push("back"),
      onRefused: (error) => this.refusals.push(error),
      onError: (error) => this.events.push(error.message),
    });
    if (directory !== undefined) this.local = new LocalNetwork(this.members, directory, () => {});
    this.members.on("join", (id) => this.events.push(`join ${id}`));
    this.members.on("leave", (id) => this.events.push(`leave ${id}`));
  }

  async start(): Promise<this> {
    await this.local?.start();
    await this.network.start();
    return this;
  }

  [Symbol.dispose](): void {
    this.local?.stop();
    void this.network.stop();
    this.members.leave();
  }
}

describe("nodes of several machines", () => {
  let port: number;
  let found: string[];

  beforeEach(async () => {
    port = await freePort();
    found = [2, 3, 4].map((last) => `127.0.0.${last}:${port}`);
  });

  /** @param machine - the last number of its address */
  function node(machine: number, id: string, more: Partial<LinkListenOptions & Greeting> = {}): MachineNode {
    const { cluster: name, ...listen } = more;
    const greeting = { id, ...(name === undefined ? {} : { cluster: name }) };
    return new MachineNode({ port, host: `127.0.0.${machine}`, secret: SECRET, ...listen }, found, greeting);
  }

  it("are linked when they have started, whoever is first", async () => {
    using b = await node(2, "BBBB").start();
    using a = await node(3, "AAAA").start();
    using c = await node(4, "CCCC").start();
    assert.deepEqual([...c.members.peers.keys()].toSorted(), ["AAAA", "BBBB"]);
    assert.deepEqual([await a.events.next(), await a.events.next()], ["join BBBB", "join CCCC"]);
    assert.deepEqual([await b.events.next(), await b.events.next()], ["join AAAA", "join CCCC"]);
    assert.equal(a.network.address, `127.0.0.3:${port}`);
  });

  it("stay linked: looking for nodes again disturbs nobody", async () => {
    using a = await node(2, "AAAA").start();
    using b = await node(3, "BBBB").start();
    await new Promise((resolve) => setTimeout(resolve, 4500));
    assert.deepEqual([a.events.pending, b.events.pending], [["join BBBB"], ["join AAAA"]]);
    assert.deepEqual([a.refusals.pending, b.refusals.pending], [[], []]);
  });

  it("carry large messages, and bursts", async () => {
    using a = await node(2, "AAAA").start();
    using b = await node(3, "BBBB").start();
    const received = new Queue<number>("a message");
    b.members.handle(100, { onMessage: (_link, payload) => received.push(payload.length) });
    assert.equal(await a.events.next(), "join BBBB");
    const link = a.members.link("BBBB")!;
    const large = Buffer.alloc(20_000_000, "x");
    link.send(100, [large]);
    for (let size = 0; size < 2000; size++) link.send(100, [large.subarray(0, size)]);
    assert.equal(await received.next(), large.length);
    for (let size = 0; size < 2000; size++) assert.equal(await received.next(), size);
  });

  it("send what waits when they leave", async () => {
    using a = await node(2, "AAAA").start();
    const b = await node(3, "BBBB").start();
    const received = new Queue<number>("a message");
    a.members.handle(100, { onMessage: (_link, payload) => received.push(payload.length) });
    // Its link is one that it has made itself.
    const c = await node(4, "0000").start();
    for (const leaving of [b, c]) {
      leaving.members.link("AAAA")!.send(100, [Buffer.alloc(5_000_000)]);
      leaving[Symbol.dispose]();
      assert.equal(await received.next(), 5_000_000);
    }
  });

  it("are linked again when a link has broken", async () => {
    using a = await node(2, "AAAA").start();
    using b = await node(3, "BBBB").start();
    const link = b.members.link("AAAA")!;
    assert.equal(await a.events.next(), "join BBBB");
    link.destroy();
    assert.equal(await a.events.next(), "leave BBBB");
    assert.equal(await a.events.next(), "join BBBB");
  });

  it("are linked once if they are on one machine, too: by the unix socket", async () => {
    const parent = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    const both = (machine: number, id: string): MachineNode =>
      new MachineNode(
        { port, host: `127.0.0.${machine}`, secret: SECRET },
        found,
        { id },
        join(parent, "cluster"),
      );
    using b = await both(2, "BBBB").start();
    using a = await both(3, "AAAA").start();
    using c = await node(4, "CCCC").start();
    assert.deepEqual([...c.members.peers.keys()].toSorted(), ["AAAA", "BBBB"]);
    await new Promise((resolve) => setTimeout(resolve, 4500));
    assert.deepEqual(a.events.pending, ["join BBBB", "join CCCC"]);
    assert.deepEqual(b.events.pending, ["join AAAA", "join CCCC"]);
    rmSync(parent, { recursive: true });
  });

  it("find one again that has ended and started anew", async () => {
    using a = await node(2, "AAAA").start();
    const b = await node(3, "BBBB").start();
    b[Symbol.dispose]();
    using c = await node(3, "CCCC").start();
    assert.deepEqual([...c.members.peers.keys()], ["AAAA"]);
    assert.deepEqual(await a.events.take(3), ["join BBBB", "leave BBBB", "join CCCC"]);
  });

  it("of a range of ports take one that is free", async () => {
    const listen = { port: [port, port + 1], host: "127.0.0.2", secret: SECRET } as const;
    using first = await new MachineNode(listen, [], { id: "BBBB" }).start();
    using second = await new MachineNode(listen, [first.network.address], { id: "AAAA" }).start();
    assert.equal(second.network.address, `127.0.0.2:${port + 1}`);
    const third = new MachineNode(listen, [], { id: "CCCC" });
    await assert.rejects(third.start(), { code: "CANNOT_LISTEN" });
    assert.deepEqual([...second.members.peers.keys()], ["BBBB"]);
  });

  describe("refuse", () => {
    it("one with another secret, in the handshake, and say so at both ends", async () => {
      using a = await node(2, "AAAA").start();
      using b = await node(3, "BBBB", { secret: "another secret of theirs" }).start();
      for (const each of [a, b]) {
        const error = await each.refusals.next();
        assert.equal((error as Error & { code: string }).code, "NODE_REFUSED");
        assert.match(String((error.cause as NodeJS.ErrnoException).code), /^ERR_SSL_.*PSK_IDENTITY/);
        assert.deepEqual(each.events.pending, []);
      }
    });

    it("one that knows the name of the secret only", async () => {
      using a = await node(2, "AAAA").start();
      const { client } = linkSecurity({ secret: SECRET });
      const { identity } = client.pskCallback!(null)!;
      const forged = { ...client, pskCallback: () => ({ identity, psk: Buffer.alloc(32) }) };
      const socket = connectTls({ host: "127.0.0.2", port, ...forged });
      await next(socket, "error");
      assert.match(String((await a.refusals.next()).cause), /bad record mac/);
    });

    it("one without a secret, with a certificate or without", async () => {
      using a = await node(2, "AAAA").start();
      const socket = connectTls({ host: "127.0.0.2", port, rejectUnauthorized: false });
      await next(socket, "error");
      assert.match(String((await a.refusals.next()).cause), /no shared cipher/);
    });

    it("garbage, plain text and a greeting without encryption", async () => {
      using a = await node(2, "AAAA").start();
      for (const garbage of ["GET / HTTP/1.1\r\n\r\n", "\0\0\0\u0010", Buffer.alloc(100_000, 22)]) {
        const socket = connectPlain(port, "127.0.0.2");
        socket.on("error", () => {});
        socket.write(garbage);
        if (garbage === "\0\0\0\u0010") socket.end();
        await next(socket, "close");
      }
      assert.deepEqual(a.events.pending, []);
      using b = await node(3, "BBBB").start();
      assert.deepEqual([...b.members.peers.keys()], ["AAAA"]);
    });

    it("one that never begins the handshake", async () => {
      using _a = await node(2, "AAAA").start();
      const socket = connectPlain(port, "127.0.0.2");
      socket.on("error", () => {});
      await next(socket, "close");
    });

    it("one that has the secret and does not speak the protocol", async () => {
      using a = await node(2, "AAAA").start();
      const { client } = linkSecurity({ secret: SECRET });
      const socket = connectTls({ host: "127.0.0.2", port, ...client });
      await next(socket, "secureConnect");
      socket.on("error", () => {});
      socket.write("GET / HTTP/1.1\r\n\r\n");
      await next(socket, "close");
      assert.deepEqual(a.events.pending, []);
    });

    it("one of another cluster", async () => {
      using a = await node(2, "AAAA", { cluster: "one" }).start();
      using b = await node(3, "BBBB", { cluster: "two" }).start();
      assert.deepEqual([a.events.pending, b.events.pending], [[], []]);
      assert.match(String((await b.refusals.next()).message), /belongs to the cluster "(one|two)"/);
    });
  });

  it("replace a secret one by one", async () => {
    const renewed = "the secret that comes next";
    using a = await node(2, "AAAA", { secret: [SECRET, renewed] }).start();
    using b = await node(3, "BBBB", { secret: [renewed, SECRET] }).start();
    assert.deepEqual([...b.members.peers.keys()], ["AAAA"]);
    using c = await node(4, "CCCC", { secret: renewed }).start();
    assert.deepEqual([...c.members.peers.keys()], ["BBBB"], "AAAA dials with the old one");
    assert.equal(a.members.link("CCCC"), undefined);
  });

  it("use keys that are made for the connection", async () => {
    using _a = await node(2, "AAAA").start();
    const { client } = linkSecurity({ secret: SECRET });
    const socket = connectTls({ host: "127.0.0.2", port, ...client });
    await next(socket, "secureConnect");
    assert.match(socket.getCipher().standardName, /^TLS_(ECDHE|DHE)_PSK_/);
    socket.destroy();
    const unsafe = connectTls({ host: "127.0.0.2", port, ...client, ciphers: "PSK-AES256-GCM-SHA384" });
    assert.match(String(await next(unsafe, "error")), /handshake failure/);
  });

  describe("with certificates", () => {
    let folder: string;
    const pem = (name: string): Buffer => readFileSync(join(folder, name));
    const openssl = (...args: string[]): void =>
      void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });

    before(() => {
      folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
      for (const authority of ["ours", "theirs"]) {
        const names = [
          "-keyout",
          `${authority}.key`,
          "-out",
          `${authority}.pem`,
          "-subj",
          `/CN=${authority}`,
        ];
        openssl("req", "-x509", ...key, ...names);
        const request = [...key, "-keyout", `node-of-${authority}.key`, "-out", "request.pem"];
        openssl("req", ...request, "-subj", "/CN=node", "-addext", "subjectAltName=DNS:node.internal");
        const signing = ["-CA", `${authority}.pem`, "-CAkey", `${authority}.key`, "-CAcreateserial"];
        const output = ["-copy_extensions", "copy", "-days", "2", "-out", `node-of-${authority}.pem`];
        openssl("x509", "-req", "-in", "request.pem", ...signing, ...output);
      }
    });

    after(() => rmSync(folder, { recursive: true }));

    const certificates = (authority: string, trusted: string = authority): Partial<LinkListenOptions> => {
      const [key, cert] = [pem(`node-of-${authority}.key`), pem(`node-of-${authority}.pem`)];
      const tls = { key, cert, ca: pem(`${trusted}.pem`), servername: "node.internal" };
      return { tls };
    };

    it("of the same authority, are linked", async () => {
      using _a = await node(2, "AAAA", certificates("ours")).start();
      using b = await node(3, "BBBB", certificates("ours")).start();
      assert.deepEqual([...b.members.peers.keys()], ["AAAA"]);
    });

    it("of another authority, are refused by either end", async () => {
      using a = await node(2, "AAAA", certificates("ours")).start();
      using b = await node(3, "BBBB", certificates("theirs", "ours")).start();
      assert.match(String(await a.refusals.next()), /unable to verify/);
      assert.match(String(await b.refusals.next()), /does not accept the certificate/);
      assert.deepEqual([a.events.pending, b.events.pending], [[], []]);
    });

    it("none, are refused", async () => {
      using a = await node(2, "AAAA", certificates("ours")).start();
      const socket = connectTls({
        host: "127.0.0.2",
        port,
        ca: pem("ours.pem"),
        servername: "node.internal",
      });
      await next(socket, "error");
      assert.deepEqual(a.events.pending, []);
    });

    it("of another name, are refused by who dials", async () => {
      using a = await node(2, "AAAA", certificates("ours")).start();
      const { tls } = certificates("ours");
      using b = await node(3, "BBBB", { tls: { ...tls!, servername: "other.internal" } }).start();
      assert.match(String((await b.refusals.next()).cause), /ERR_TLS_CERT_ALTNAME_INVALID|altnames/);
      assert.equal(a.members.peers.size, 0);
    });
  });

  it("are not started without protection, or without a way to be found", () => {
    const discovery = dns("localhost:7900");
    const code = (run: () => unknown): string => {
      try {
        run();
        return "none";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    assert.equal(
      code(() => cluster({ listen: { port: 7900 }, discovery })),
      "NO_SECRET",
    );
    assert.equal(
      code(() => cluster({ listen: { secret: "" }, discovery })),
      "NO_SECRET",
    );
    assert.equal(
      code(() => cluster({ listen: { secret: [] }, discovery })),
      "NO_SECRET",
    );
    assert.equal(
      code(() => cluster({ listen: { secret: "short" }, discovery })),
      "SHORT_SECRET",
    );
    assert.equal(
      code(() => cluster({ listen: { tls: { ca: undefined! } }, discovery })),
      "NO_AUTHORITY",
    );
    assert.equal(
      code(() => cluster({ listen: { secret: SECRET } })),
      "NO_DISCOVERY",
    );
    assert.equal(
      code(() => cluster({ discovery })),
      "NO_DISCOVERY",
    );
    assert.equal(
      code(() => dns("localhost")),
      "BAD_ADDRESS",
    );
    const listen = { secret: SECRET };
    const backend = { discovery };
    assert.equal(
      code(() => cluster({ backend })),
      "NO_DISCOVERY",
    );
    assert.equal(
      code(() => cluster({ listen, backend: discovery as never })),
      "BAD_BACKEND",
    );
    assert.equal(
      code(() => cluster({ listen, backend: { discovery, channels: {} as never } })),
      "BAD_BACKEND",
    );
    assert.equal(
      code(() => cluster({ listen, discovery: backend as never })),
      "BAD_DISCOVERY",
    );
    assert.equal(
      code(() => cluster({ listen, backend, discovery })),
      "UNUSED_BACKEND",
    );
    assert.equal(
      code(() => cluster({ listen, backend })),
      "none",
    );
  });
});
