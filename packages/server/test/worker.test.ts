import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { Server } from "@tidewire/server";
import type { ClusterOption, internals } from "@tidewire/server";

const WORKER = Symbol.for("tidewire.worker");

/** A cluster of nobody. */
class Nothing implements ClusterOption {
  readonly handle = new EventEmitter() as unknown as ClusterOption["handle"];
  readonly adapter = undefined;
  joinEngine(): void {}
  leave(): void {}
}

/** Says for the rest of the scope that the process is one of several. */
function asWorker(worker: internals.Worker): Disposable {
  Object.assign(globalThis, { [WORKER]: worker });
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, WORKER) };
}

function worker(cluster?: ClusterOption): internals.Worker & { readonly attached: unknown[] } {
  const attached: unknown[] = [];
  return { attached, cluster: () => cluster, onAttached: (server) => void attached.push(server) };
}

describe("a server in a process that is one of several", () => {
  it("joins the cluster of the process", () => {
    const cluster = new Nothing();
    using _worker = asWorker(worker(cluster));
    assert.equal(new Server().cluster, cluster.handle);
  });

  it("joins that of its options, if they name one", () => {
    const cluster = new Nothing();
    using _worker = asWorker(worker(new Nothing()));
    assert.equal(new Server({ cluster }).cluster, cluster.handle);
  });

  it("is alone with cluster: false", async () => {
    const process = worker(new Nothing());
    using _worker = asWorker(process);
    const io = new Server(createServer(), { cluster: false });
    assert.equal(io.cluster, undefined);
    assert.deepEqual(process.attached, []);
    await io.close().catch(() => {});
  });

  it("reports when it is attached, with what accepts its connections", async () => {
    const process = worker();
    using _worker = asWorker(process);
    const httpServer = createServer();
    const io = new Server();
    assert.deepEqual(process.attached, []);
    io.attach(httpServer);
    assert.deepEqual(process.attached, [io]);
    assert.equal(io.httpServer, httpServer);
    assert.equal(io.cluster, undefined);
    await io.close().catch(() => {});
  });
});
