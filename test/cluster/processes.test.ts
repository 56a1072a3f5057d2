// Processes that share a port, with official clients. No proxy is in front of them: the kernel chooses the process of each
// connection, and the clients on Node open one for each request.
import assert from "node:assert/strict";
import type { ManagerOptions } from "socket.io-client";
import { freePort } from "../support/hosts/free-port.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { ClusteredProcesses } from "../support/processes/clustered-process.ts";
import type { ClusteredProcess } from "../support/processes/clustered-process.ts";
import { Clients } from "../support/processes/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { next } from "../support/waiting/events.ts";
import { within } from "../support/waiting/queue.ts";
import { canReusePort } from "../../packages/engine/src/host/node/reuse-port.ts";

type HostName = "uws" | "node";

const combinations: readonly (readonly HostName[])[] = [
  ["uws", "uws", "uws"],
  ["node", "node", "node"],
  ["uws", "node", "uws"],
];

const names: readonly string[] = chosen(serverHosts).map(({ name }) => name);
const isChosen = (hosts: readonly HostName[]): boolean => hosts.every((host) => names.includes(host));
function gapOf(hosts: readonly HostName[]): string {
  if (hosts.includes("uws") && whyNoUws !== undefined) return ` [${whyNoUws}]`;
  const canShare = !hosts.includes("node") || canReusePort();
  return canShare ? "" : " [node:http shares a port from Node 22.12 on, on Linux]";
}

/** How long a client waits before it connects again, in ms. */
const RECONNECTION = { reconnectionDelay: 100, reconnectionDelayMax: 200 };

for (const hosts of combinations.filter(isChosen)) {
  const gap = gapOf(hosts);
  const declare = (title: string, body: () => Promise<void>): void =>
    void (gap === "" ? it(title, body) : it(title));

  describe(`processes on one port: ${hosts.join(", ")}${gap}`, function () {
    this.timeout(60_000);

    let cluster: ClusteredProcesses;
    /** Those that every test finds. */
    let processes: readonly ClusteredProcess[];
    /** One more, for tests that end it; undefined if there is none. */
    let spare: ClusteredProcess | undefined;

    before(async () => {
      if (gap !== "") return;
      cluster = new ClusteredProcesses(await freePort());
      processes = await cluster.start(hosts);
    });

    after(() => cluster?.[Symbol.dispose]());

    async function startSpare(): Promise<ClusteredProcess> {
      [spare] = await cluster.start(hosts.slice(2));
      return spare!;
    }

    async function takeSpare(): Promise<ClusteredProcess> {
      const taken = spare ?? (await startSpare());
      spare = undefined;
      return taken;
    }

    /** Waits until the others know that one has left. */
    async function allMiss(id: string): Promise<void> {
      for (const each of processes) while ((await each.reports("leave").next()) !== id);
    }

    declare("show each other in io.cluster.nodes", async () => {
      using clients = new Clients(cluster.url, 9, { transports: ["websocket"] });
      await clients.nodes();
      const [first] = processes;
      const begin = Date.now();
      for (;;) {
        const nodes = await first!.nodes();
        assert.deepEqual(nodes.map(({ id }) => id).toSorted(), processes.map(({ id }) => id).toSorted());
        assert.equal(nodes[0]!.id, first!.id);
        assert.deepEqual(new Set(nodes.map(({ state }) => state)), new Set(["up"]));
        for (const { lastSeen } of nodes) assert.ok(lastSeen <= Date.now());
        // The others say how many sessions they have once a second.
        const sessions = nodes.reduce((sum, node) => sum + node.sessions, 0);
        const areSeen = nodes.every(({ rtt, lastSeen }) => rtt !== undefined && lastSeen >= begin);
        if (sessions === 9 && areSeen) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });

    declare("let sessions live where their WebSocket has landed", async () => {
      using clients = new Clients(cluster.url, 30);
      const nodes = await clients.nodes();
      await clients.upgraded();
      await clients.echo(10);
      const upgraded = processes.flatMap((each) => each.reports("upgrade").pending.map(String));
      assert.deepEqual(upgraded.toSorted(), nodes.toSorted());
      assert.deepEqual(clients.losses, []);
    });

    declare("serve clients on long-polling, whichever process gets their requests", async () => {
      // So many that chance leaves out no process.
      using clients = new Clients(cluster.url, 40, { transports: ["polling"] });
      const nodes = await clients.nodes();
      await clients.echo(10);
      assert.equal(new Set(nodes).size, 3);
      assert.deepEqual(clients.losses, []);
    });

    declare("broadcast to the clients of all, and count the sockets of rooms", async () => {
      using clients = new Clients(cluster.url, 20);
      await clients.nodes();
      const heard = clients.all.map((client) => next<[string]>(client, "shouted"));
      clients.all[0]!.emit("shout", "hello");
      for (const [word] of await Promise.all(heard)) assert.equal(word, "hello");
      await Promise.all(clients.all.map((client) => client.emitWithAck("join", "room")));
      assert.equal(await clients.all[0]!.emitWithAck("count", "room"), 20);
    });

    declare("relay WebSockets that land elsewhere when sessions are bound early", async () => {
      using early = new ClusteredProcesses(await freePort());
      await early.start(hosts.slice(0, 2), { bind: "early" });
      using clients = new Clients(early.url, 30);
      await clients.nodes();
      await clients.upgraded();
      await clients.echo(10);
      assert.deepEqual(clients.losses, []);
    });

    declare("lose no client while another one starts", async () => {
      using clients = new Clients(cluster.url, 10, { transports: ["polling"] });
      await clients.nodes();
      const echoes = clients.echo(200);
      const { id } = await startSpare();
      using more = new Clients(cluster.url, 50, { transports: ["polling"] });
      assert.equal((await more.nodes()).includes(id), true);
      await Promise.all([echoes, more.echo(10)]);
      assert.deepEqual([...clients.losses, ...more.losses], []);
    });

    // One that is upgraded late may be relayed, and ends with the process that relays it.
    for (const [transport, options] of [
      ["WebSocket", { transports: ["websocket"] }],
      ["long-polling", { transports: ["polling"] }],
    ] satisfies [string, Partial<ManagerOptions>][]) {
      declare(`lose no client on ${transport} while another one closes`, async () => {
        const closed = await takeSpare();
        using clients = new Clients(cluster.url, 20, { ...RECONNECTION, ...options });
        const nodes = await clients.nodes();
        const exited = next(closed.child, "exit");
        closed.child.send("close");
        await allMiss(closed.id);
        await exited;
        await clients.echo(5);
        clients.assertLost(indexesOf(closed.id, nodes));
      });
    }

    declare("go on without one that was killed, whose clients come back to the others", async () => {
      const killed = await takeSpare();
      // One that is upgraded late may be relayed by it.
      using clients = new Clients(cluster.url, 30, { ...RECONNECTION, transports: ["websocket"] });
      const nodes = await clients.nodes();
      const affected = indexesOf(killed.id, nodes);
      const back = affected.map((index) => next(clients.all[index], "node"));
      killed.child.kill("SIGKILL");
      await allMiss(killed.id);
      await within(Promise.all(back), "the clients to come back");
      await clients.echo(5);
      clients.assertLost(affected);
      for (const each of processes) assert.equal((await each.nodes()).length, 3);
    });

    declare("go on without one that is stopped; it comes back under another id", async () => {
      const stopped = await takeSpare();
      using clients = new Clients(cluster.url, 20, { transports: ["websocket"] });
      const nodes = await clients.nodes();
      const known = new Set(cluster.all.map(({ id }) => id));
      stopped.child.kill("SIGSTOP");
      await allMiss(stopped.id);
      stopped.child.kill("SIGCONT");
      const ids = await Promise.all(
        processes.map(async (each) => {
          let id = stopped.id;
          while (known.has(id)) id = String(await each.reports("join").next());
          return id;
        }),
      );
      assert.equal(new Set(ids).size, 1);
      // Its own WebSockets have waited.
      await clients.echo(5);
      assert.deepEqual(clients.losses, []);
      assert.equal(nodes.includes(stopped.id), true);
      using polling = new Clients(cluster.url, 30, { transports: ["polling"] });
      assert.equal((await polling.nodes()).includes(ids[0]!), true);
      await polling.echo(5);
      assert.deepEqual(polling.losses, []);
    });
  });
}

function indexesOf(node: string, nodes: readonly string[]): number[] {
  return [...nodes.keys()].filter((index) => nodes[index] === node);
}
