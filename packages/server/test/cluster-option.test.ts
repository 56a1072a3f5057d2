import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { internals, Server } from "@tidewire/server";
import type { Cluster, ClusterNode, ClusterOption } from "@tidewire/server";
import { Server as EngineServer } from "@tidewire/engine";

/** A cluster of one node, which writes down what the server calls. */
class Alone extends EventEmitter implements ClusterOption, Cluster {
  readonly calls: unknown[] = [];
  readonly handle: Cluster = this;
  readonly adapter: ClusterOption["adapter"];
  readonly nodes: readonly ClusterNode[] = [{ id: "AAAA", state: "up", sessions: 0, rtt: 0, lastSeen: 0 }];
  readonly ready = true;

  constructor(adapter?: ClusterOption["adapter"]) {
    super();
    this.adapter = adapter;
  }

  joinEngine(engine: object): void {
    this.calls.push(engine);
  }

  leave(): void {
    this.calls.push("leave");
  }
}

describe("the option cluster", () => {
  it("is undefined without a cluster", () => {
    assert.equal(new Server().cluster, undefined);
  });

  it("gives io.cluster", () => {
    const cluster = new Alone();
    assert.equal(new Server({ cluster }).cluster, cluster);
  });

  it("is in io.stats(), with the broadcasts that have not arrived", () => {
    const cluster = new Alone();
    const io = new Server({ cluster });
    cluster.emit("gap", { from: "BBBB", missed: 3 });
    cluster.emit("gap", { from: "CCCC", missed: 4 });
    assert.deepEqual(io.stats().cluster, { ready: true, nodes: cluster.nodes, missed: 7 });
  });

  it("must be a cluster", () => {
    assert.throws(() => new Server({ cluster: true as never }), {
      code: "INVALID_OPTION",
      message: /expected what cluster\(\) of @tidewire\/cluster returns, or false/,
    });
  });

  it("joins each engine of the server, and leaves when the server has closed", async () => {
    const cluster = new Alone();
    const io = new Server({ cluster });
    const engine = new EngineServer();
    io.bind(engine);
    assert.deepEqual(cluster.calls, [engine]);
    await io.close();
    assert.deepEqual(cluster.calls, [engine, "leave"]);
  });

  it("leaves a server that was never attached", async () => {
    const cluster = new Alone();
    await assert.rejects(new Server({ cluster }).close(), { code: "NOT_ATTACHED" });
    assert.deepEqual(cluster.calls, ["leave"]);
  });

  it("chooses the adapter, unless the application has", () => {
    class OfCluster extends internals.MemoryAdapter {}
    class OfApplication extends internals.MemoryAdapter {}
    const cluster = new Alone(OfCluster as never);
    assert.ok(new Server({ cluster }).of("/a").adapter instanceof OfCluster);
    const adapter = OfApplication as never;
    assert.ok(new Server({ cluster, adapter }).of("/a").adapter instanceof OfApplication);
    assert.ok(new Server({ cluster: new Alone() }).of("/a").adapter instanceof internals.MemoryAdapter);
  });
});
