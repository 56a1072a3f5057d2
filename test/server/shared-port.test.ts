// Servers that share a port, as those of several processes do.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server } from "@tidewire/server";
import { connected, pair } from "../support/server/clients.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { StartedServer } from "../support/server/started-server.ts";
import { needUws } from "../support/uws/absent.ts";
import { closing } from "../support/waiting/closing.ts";
import { next } from "../support/waiting/events.ts";
import { isClosed } from "../support/wire/network-client.ts";
import { KeptConnection } from "../support/wire/kept-connection.ts";
import { canReusePort } from "../../packages/engine/src/host/node/reuse-port.ts";

type Name = "uws" | "node";

/** Which host has the port, and which one wants it too. */
const pairs: readonly (readonly [Name, Name])[] = [
  ["uws", "uws"],
  ["node", "node"],
  ["uws", "node"],
  ["node", "uws"],
];

async function share(host: Name, port = 0): Promise<StartedServer<Server>> {
  if (host === "uws") needUws();
  const io = new Server(port, { host, reusePort: true });
  return started(io);
}

async function started(io: Server): Promise<StartedServer<Server>> {
  if (!io.httpServer.listening) await once(io.httpServer, "listening");
  return new StartedServer(io, { port: (io.httpServer.address() as AddressInfo).port });
}

const names = chosen(serverHosts).map(({ name }) => name);
const isChosen = (pair: readonly Name[]): boolean => pair.every((name) => names.includes(name));
const gapOf = (pair: readonly Name[]): string =>
  pair.includes("node") && !canReusePort() ? " [node:http shares a port from Node 22.12 on, on Linux]" : "";

for (const pair of pairs.filter(isChosen)) {
  const [one, other] = pair;
  const gap = gapOf(pair);
  const declare = (title: string, body: () => Promise<void>): void =>
    void (gap === "" ? it(title, body) : it(title));

  describe(`servers with reusePort on ${one} and ${other}${gap}`, () => {
    declare("listen on one port, and both get connections", async () => {
      await using first = await share(one);
      await using second = await share(other, first.port);
      assert.equal(second.port, first.port);
      const servers = new Set<number>();
      for (const [index, { io }] of [first, second].entries()) io.on("connection", () => servers.add(index));
      // The kernel chooses by a hash: one of two gets all of 64 with a probability of 2^-63.
      for (let count = 0; count < 64 && servers.size < 2; count++)
        await connected(first.client({ transports: ["websocket"] }));
      assert.equal(servers.size, 2);
    });

    declare("serve on when one of them closes", async () => {
      await using first = await share(one);
      await using second = await share(other, first.port);
      await first.io.close();
      for (let count = 0; count < 8; count++) await connected(second.client({ transports: ["websocket"] }));
      await second.io.close();
      assert.equal(await isClosed(second.port), true);
    });

    declare("hand new connections over with stopListening(), and keep those that are open", async () => {
      await using first = await share(one);
      const client = first.client({ transports: ["websocket"] });
      await connected(client);
      using kept = await KeptConnection.open(first.port);
      kept.write("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n");
      await using second = await share(other, first.port);
      first.io.engine.stopListening();
      const met = new Promise<void>((resolve, reject) => {
        second.io.on("connection", () => resolve());
        first.io.on("connection", () => reject(new Error("the first server got a connection")));
      });
      await connected(second.client({ transports: ["websocket"] }));
      await met;
      kept.write("Host: localhost\r\n\r\n");
      assert.match(await kept.saw("upgrades"), /^HTTP\/1\.1 200 OK/);
      assert.equal(client.connected, true);
      const gone = next(client, "disconnect");
      await first.io.close();
      assert.deepEqual((await gone)[0], "transport close");
    });
  });
}

for (const host of chosen(serverHosts)) {
  describe(`io.close() after stopListening() [${host.name}]`, () => {
    it("waits until the connections have ended", async () => {
      await using server = await host.start();
      const { client } = await pair(server, { transports: ["websocket"] });
      const io = server.io as unknown as Server;
      const gone = next(client, "disconnect");
      io.engine.stopListening();
      assert.equal(await isClosed(server.port), true);
      assert.equal(client.connected, true);
      let error: unknown = "none";
      await io.close((got) => void (error = got));
      assert.equal(error, undefined);
      assert.deepEqual((await gone)[0], "transport close");
    });
  });
}

for (const name of names) {
  describe(`a port that is not shared [${name}]`, () => {
    it("is taken for a server that would share it", async () => {
      if (name === "uws") needUws();
      const host = name as Name;
      await using running = await started(new Server(0, { host }));
      const second = new Server(running.port, { host, reusePort: true });
      const [error] = await next<[NodeJS.ErrnoException]>(second.httpServer, "error");
      assert.equal(error.code, "EADDRINUSE");
      const explains = host === "node" && !canReusePort();
      assert.equal(/cannot share it with another process: use/.test(error.message), explains, error.message);
      await second.close().catch(() => {});
    });

    it("cannot be had while others share it", async () => {
      await using running = await share(name as Name);
      const second = new Server(running.port, { host: name as Name });
      const [error] = await next<[NodeJS.ErrnoException]>(second.httpServer, "error");
      assert.equal(error.code, "EADDRINUSE");
      await second.close().catch(() => {});
    });
  });
}

describe("a server in a process that is one of several", () => {
  it("shares its port, unless it has cluster: false", async () => {
    needUws();
    const name = Symbol.for("tidewire.worker");
    Object.assign(globalThis, { [name]: { cluster: () => undefined, onAttached: () => {} } });
    using _worker = closing(() => void Reflect.deleteProperty(globalThis, name));
    await using first = await started(new Server(0, { host: "uws" }));
    await using second = await started(new Server(first.port, { host: "uws" }));
    assert.equal(second.port, first.port);
    const alone = new Server(first.port, { host: "uws", cluster: false });
    const [error] = await next<[NodeJS.ErrnoException]>(alone.httpServer, "error");
    assert.equal(error.code, "EADDRINUSE");
    await alone.close().catch(() => {});
  });
});
