import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Server } from "@tidewire/server";
import type { Cluster } from "@tidewire/server";
import { next } from "../../../test/support/waiting/events.ts";
import { cluster } from "../src/cluster.ts";
import type { ClusterOptions } from "../src/options.ts";

const run = promisify(execFile);
const FROM_SOURCES = ["--conditions=@tidewire/source", "--import=tsx/esm"];

describe("the cluster of a server", () => {
  let parent: string;
  let servers: Server[];

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    servers = [];
  });

  afterEach(async () => {
    for (const io of servers) if (io.httpServer.listening) await io.close();
    rmSync(parent, { recursive: true, force: true });
  });

  function start(options: ClusterOptions = {}): Server {
    const io = new Server(0, {
      host: "node",
      cluster: cluster({ directory: join(parent, "c"), name: "test", ...options }),
    });
    servers.push(io);
    return io;
  }

  const portOf = ({ httpServer }: Server): number => (httpServer.address() as AddressInfo).port;

  const idsOf = ({ nodes }: Cluster): string[] => nodes.map(({ id }) => id);

  it("is ready once it has met the others", async () => {
    const [one, other] = [start().cluster!, start().cluster!];
    assert.equal(one.ready, false);
    assert.deepEqual(
      one.nodes.map(({ state }) => state),
      ["joining"],
    );
    await Promise.all([next(one, "ready"), next(other, "ready")]);
    assert.deepEqual([one.ready, other.ready], [true, true]);
    assert.deepEqual(idsOf(one), idsOf(other).toReversed());
    assert.equal(one.nodes[0]!.state, "up");
    assert.equal(one.nodes[0]!.rtt, 0);
  });

  it("emits join and leave", async () => {
    const one = start();
    await next(one.cluster, "ready");
    const joined = next<[{ id: string }]>(one.cluster, "join");
    const other = start();
    const [{ id }] = await joined;
    assert.equal(id, idsOf(other.cluster!)[0]);
    const left = next<[{ id: string }]>(one.cluster, "leave");
    await other.close();
    assert.equal((await left)[0].id, id);
    assert.equal(one.cluster!.nodes.length, 1);
  });

  it("shows the others that a node drains", async () => {
    const [one, other] = [start(), start()];
    await Promise.all([next(one.cluster, "ready"), next(other.cluster, "ready")]);
    await one.drain();
    assert.equal(one.cluster!.ready, false);
    while (other.cluster!.nodes[1]!.state !== "draining")
      await new Promise((resolve) => setImmediate(resolve));
  });

  it("comes back, under another id, when the server is attached again", async () => {
    const io = start();
    await next(io.cluster, "ready");
    const [id] = idsOf(io.cluster!);
    await io.close();
    assert.equal(io.cluster!.ready, false);
    io.attach(0);
    await next(io.cluster, "ready");
    assert.notEqual(idsOf(io.cluster!)[0], id);
  });

  it("begins anew when the server is attached again: nobody takes it for one that drains, and it holds sessions", async () => {
    const [one, other] = [start({ bindTimeout: 60_000 }), start()];
    await Promise.all([next(one.cluster, "ready"), next(other.cluster, "ready")]);
    await one.close();
    one.attach(0);
    const states = new Set<string>();
    do {
      await new Promise((resolve) => setImmediate(resolve));
      for (const { state } of other.cluster!.nodes.slice(1)) states.add(state);
    } while (!states.has("up"));
    assert.equal(states.has("draining"), false);
    await fetch(`http://localhost:${portOf(one)}/socket.io/?EIO=4&transport=polling`);
    assert.equal(one.engine.clientsCount, 0);
  });

  it("is not ready before it has met the others, also if it was about to drain meanwhile", async () => {
    const io = start();
    const isReady = next(io.cluster, "ready");
    const stopping = new AbortController();
    const drained = io.drain({ signal: stopping.signal });
    stopping.abort();
    await assert.rejects(drained, { name: "AbortError" });
    assert.equal(io.cluster!.ready, false);
    await isReady;
    assert.equal(io.cluster!.ready, true);
  });

  it("is ready when it goes on, if it has met the others while it drained", async () => {
    const other = start();
    await next(other.cluster, "ready");
    const option = cluster({ directory: join(parent, "c"), name: "test" });
    const io = new Server(0, { host: "node", cluster: option });
    servers.push(io);
    let readies = 0;
    io.cluster!.on("ready", () => readies++);
    option.drain?.(true);
    // Requests wait until it has met the others.
    await fetch(`http://localhost:${portOf(io)}/socket.io/?EIO=4&transport=polling`);
    assert.deepEqual([io.cluster!.ready, readies], [false, 0]);
    option.drain?.(false);
    assert.deepEqual([io.cluster!.ready, readies], [true, 1]);
    option.drain?.(true);
    option.drain?.(false);
    assert.deepEqual([io.cluster!.ready, readies], [true, 1]);
  });

  it("is named after the port, which an HTTP server may get later", async () => {
    const http = createServer();
    const directory = join(parent, "c");
    const io = new Server(http, { cluster: cluster({ directory }) });
    servers.push(io);
    assert.equal(io.cluster!.ready, false);
    http.listen(0);
    await next(io.cluster, "ready");
  });

  it("keeps the process until its server has closed, also for the second time", async function () {
    this.timeout(60_000);
    // A process without a channel to this one, which would keep it.
    const { stdout } = await run(process.execPath, [
      ...FROM_SOURCES,
      "--input-type=module",
      "-e",
      `
      import { cluster } from "@tidewire/cluster";
      import { Server } from "@tidewire/server";

      const directory = ${JSON.stringify(join(parent, "c"))};
      const io = new Server(0, { host: "node", cluster: cluster({ directory, name: "test" }) });
      await new Promise((resolve) => io.cluster.once("ready", resolve));
      await Promise.all([io.close(), io.close()]);
      console.log("closed");
      await io.close();
      console.log("closed again");
    `,
    ]);
    assert.equal(stdout, "closed\nclosed again\n");
  });

  it("belongs to one server", async () => {
    const io = start();
    const { httpServer } = io;
    assert.throws(() => io.attach(createServer()), { code: "NO_OTHER_SERVER" });
    // The server has the other one now.
    httpServer.close();
    await io.close();
  });

  it("has a name that can be part of a path", () => {
    for (const name of ["", "a/b", "..", ".hidden", "ü", "x".repeat(41)]) {
      assert.throws(() => cluster({ name }), { code: "BAD_NAME" });
    }
  });

  it("refuses options that make no sense", () => {
    for (const [option, value] of [
      ["bind", "lat"],
      ["bindTimeout", -1],
      ["bindTimeout", "soon"],
      ["ordering", "total"],
      ["name", 3000],
    ] as const) {
      assert.throws(() => cluster({ [option]: value }), {
        code: "INVALID_OPTION",
        option: `cluster.${option}`,
      });
    }
  });

  it("warns of an option that it does not know", async () => {
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", note);
    cluster({ bindTimout: 100 } as ClusterOptions);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    assert.match(warnings.join("\n"), /"cluster.bindTimout": did you mean "cluster.bindTimeout"/);
  });
});
