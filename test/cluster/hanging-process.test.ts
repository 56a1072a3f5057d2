// One of three processes is stopped for a while, as by a debugger or a machine that is out of memory. The others go on without it.
import assert from "node:assert/strict";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { freePort } from "../support/hosts/free-port.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { ClusteredProcesses } from "../support/processes/clustered-process.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { next } from "../support/waiting/events.ts";

const isChosen = chosen(serverHosts).some(({ name }) => name === "uws") && whyNoUws === undefined;

(isChosen ? describe : describe.skip)("a process of a cluster that hangs [uws]", function () {
  this.timeout(60_000);

  it("is not waited for, and misses broadcasts, of which it is told when it goes on", async () => {
    using cluster = new ClusteredProcesses(await freePort());
    const [asking, hanging, other] = await cluster.start(["uws", "uws", "uws"]);
    using clients = await Clients.inEach(cluster.url, 3);
    const at = (id: string): Socket => clients.byNode.get(id)!;
    for (const client of clients.byNode.values()) await client.emitWithAck("join", "room");
    assert.equal(await at(asking!.id).emitWithAck("count", "room"), 3);

    hanging!.child.kill("SIGSTOP");
    try {
      // Its heartbeat is missed before the time for an answer is over.
      assert.equal(await at(asking!.id).emitWithAck("count", "room"), 2);
      const heard = next(at(other!.id), "shouted");
      at(asking!.id).emit("shout", "lost");
      assert.deepEqual(await heard, ["lost"]);
    } finally {
      hanging!.child.kill("SIGCONT");
    }

    const gap = hanging!.reports("gap").next();
    for (const each of [hanging!, asking!])
      while ((await each.nodes()).length < 3) await each.reports("join").next();
    const heard = next(at(hanging!.id), "shouted");
    at(asking!.id).emit("shout", "arrives");
    assert.deepEqual(await heard, ["arrives"]);
    const { from, missed } = (await gap) as { from: string; missed: number };
    assert.equal(from, asking!.id);
    assert.ok(missed >= 1);
  });
});

/** A client of each process: as many connect as it takes. */
class Clients implements Disposable {
  /** By the id of their node. */
  readonly byNode: Map<string, Socket> = new Map();

  static async inEach(url: string, processes: number): Promise<Clients> {
    const clients = new Clients();
    while (clients.byNode.size < processes) {
      const client = connect(url, { forceNew: true, transports: ["websocket"], reconnection: false });
      const [node] = await next<[string]>(client, "node");
      if (clients.byNode.has(node)) client.disconnect();
      else clients.byNode.set(node, client);
    }
    return clients;
  }

  [Symbol.dispose](): void {
    for (const client of this.byNode.values()) client.disconnect();
  }
}
