// Processes that share a port, with official clients. No proxy is in front of them: the kernel chooses the process of each connection.
import assert from "node:assert/strict";
import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { chosen } from "../support/hosts/on-every-host.ts";
import { ClusteredProcesses } from "../support/processes/clustered-process.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { next } from "../support/waiting/events.ts";
import { freePort } from "../browser/support/chat-process.ts";
import { canReusePort } from "../../packages/engine/src/host/node/reuse-port.ts";

const canShare = { uws: true, node: canReusePort(), mixed: canReusePort() };

const hostsOf = {
  uws: ["uws", "uws", "uws"],
  node: ["node", "node", "node"],
  mixed: ["uws", "node", "uws"],
} as const;

const names: readonly string[] = chosen(serverHosts).map(({ name }) => name);

for (const [name, hosts] of Object.entries(hostsOf) as [
  "uws" | "node" | "mixed",
  readonly ("uws" | "node")[],
][]) {
  const isChosen = name === "mixed" ? names.includes("uws") && names.includes("node") : names.includes(name);
  if (!isChosen) continue;
  const declare = canShare[name] ? it : it.skip;

  describe(`processes that share a port (${name})`, function () {
    this.timeout(60_000);

    declare("serve clients on long-polling, whichever process gets their requests", async () => {
      using cluster = new ClusteredProcesses(await freePort());
      await cluster.start(hosts);
      using clients = manyClients(cluster.url, 20, { transports: ["polling"] });
      const nodes = new Set<string>();
      await Promise.all(
        clients.all.map(async (client) => {
          nodes.add((await next<[string]>(client, "node"))[0]);
          for (let count = 0; count < 10; count++)
            assert.equal(await client.emitWithAck("echo", count), count);
        }),
      );
      assert.equal(nodes.size, 3);
      assert.deepEqual(clients.disconnects, []);
    });
  });
}

interface Clients extends Disposable {
  readonly all: readonly Socket[];
  readonly disconnects: readonly string[];
}

function manyClients(url: string, count: number, options: Partial<ManagerOptions & SocketOptions>): Clients {
  const disconnects: string[] = [];
  const all = Array.from({ length: count }, () => {
    const client = connect(url, { forceNew: true, ...options });
    client.on("disconnect", (reason) => disconnects.push(reason));
    client.on("connect_error", (error) => disconnects.push(error.message));
    return client;
  });
  return {
    all,
    disconnects,
    [Symbol.dispose]() {
      for (const client of all) client.disconnect();
    },
  };
}
