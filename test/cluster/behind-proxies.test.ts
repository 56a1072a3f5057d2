// Three workers of one script, without affinity: behind proxies that share their connections among clients, and without one.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findProxy, whyMissing } from "../../scripts/setup.mjs";
import { freePort } from "../support/hosts/free-port.ts";
import { scriptOf, Tidewire } from "../support/cli/tidewire.ts";
import {
  anyConnected,
  anyUpgraded,
  ask,
  clientVersions,
  openAnyClient,
} from "../support/cluster/any-client.ts";
import type { AnyClient, AnyClientOptions } from "../support/cluster/any-client.ts";
import { JsonpClient } from "../support/cluster/jsonp-client.ts";
import { cookieOf } from "../support/engine/middlewares.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { haproxy, runHaproxy, runNginx, sharingNginx } from "../support/proxies/configurations.ts";
import { startProxy } from "../support/proxies/running.ts";
import type { RunningProxy } from "../support/proxies/running.ts";
import { transports } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { needUws } from "../support/uws/absent.ts";
import { closing } from "../support/waiting/closing.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

const WORKERS = 3;
/** Of each version on each transport. */
const CLIENTS = 6;
/** How long clients talk without a break. `LOAD_SECONDS=600` is the long form. */
const LOAD_SECONDS = Number(process.env["LOAD_SECONDS"] ?? 1);
const READY = /worker \d \(pid \d+\) is ready/;

interface Front {
  readonly name: "HAProxy" | "nginx";
  readonly run: (file: string) => string[];
  /** The configuration in front of the port of the workers. */
  configurationOf(target: number): (port: number, folder: string) => string;
}

const fronts: readonly Front[] = [
  {
    name: "HAProxy",
    run: runHaproxy,
    configurationOf(target) {
      const lines = "timeout tunnel 1h\nbalance roundrobin\nhttp-reuse always";
      return haproxy(
        lines,
        Array.from({ length: WORKERS }, () => `127.0.0.1:${target}`),
      );
    },
  },
  {
    name: "nginx",
    run: runNginx,
    configurationOf: (target) =>
      sharingNginx(`server 127.0.0.1:${target}; keepalive 16; keepalive_timeout 5s;`),
  },
];

for (const { name: host } of chosen(serverHosts)) {
  describe(`three workers behind no proxy [${host}]`, () => declareSuite(host, undefined));
  for (const front of fronts) {
    const program = findProxy(front.name);
    const gap = program === undefined ? whyMissing(front.name) : undefined;
    if (gap === undefined)
      describe(`three workers behind ${front.name} [${host}]`, () => declareSuite(host, front));
    else
      describe(`three workers behind ${front.name} [${host}, ${gap}]`, () => void it("serve every client"));
  }
}

function declareSuite(host: string, front: Front | undefined): void {
  let tidewire: Tidewire | undefined = undefined;
  const proxies: RunningProxy[] = [];
  let folder = "";
  let url = "";
  /** Of the server whose visitors have sessions of express-session. */
  let visitsPort = 0;

  before(async function () {
    this.timeout(60_000);
    if (host === "uws") needUws();
    folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    const ports = [await freePort(), await freePort()] as const;
    const args = ["start", "--workers", String(WORKERS), scriptOf("with-visits.ts"), "--", host];
    const [PORT, VISITS_PORT] = ports.map(String);
    tidewire = Tidewire.run(args, { PORT, VISITS_PORT, VISITS_FOLDER: folder });
    await tidewire.saysTimes(READY, WORKERS);
    const fronts = await Promise.all(ports.map((port) => startFront(front, port)));
    for (const each of fronts) if (each !== undefined) proxies.push(each);
    url = `http://127.0.0.1:${fronts[0]?.port ?? ports[0]}`;
    visitsPort = fronts[1]?.port ?? ports[1];
  });

  after(async function () {
    this.timeout(60_000);
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await tidewire?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const version of Object.keys(clientVersions))
    for (const [transport, options] of Object.entries(transports))
      it(`serve clients of version ${version} over ${transport}, wherever their requests land`, async () => {
        const clients = Array.from({ length: CLIENTS }, () =>
          openAnyClient(version, url, options as AnyClientOptions),
        );
        using _clients = closing(() => clients.forEach((client) => void client.close()));
        const losses: string[] = [];
        for (const client of clients) client.on("disconnect", (reason: string) => losses.push(reason));
        await Promise.all(clients.map((client) => serves(client, transport)));
        await hearEachOther(clients);
        assert.deepEqual(losses, []);
      }).timeout(60_000);

  it("serve clients on JSONP, wherever their requests land", async () => {
    using wire = new NetworkClient(Number(new URL(url).port));
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) => JsonpClient.open(wire, index)),
    );
    await Promise.all(
      clients.map(async (client) => {
        for (const word of ['ä "quoted"\nline', "\u2028</script>", "x".repeat(100_000)])
          assert.equal(await client.ask("echo", word), word);
        await client.close();
      }),
    );
  }).timeout(60_000);

  for (const version of ["2", "4"])
    it(`know visitors of express-session again, with clients of version ${version}`, async () => {
      using wire = new NetworkClient(visitsPort);
      const { headers } = await wire.get("/socket.io/?EIO=4&transport=polling");
      const cookie = cookieOf(headers, "connect.sid");
      assert.ok(cookie !== undefined, "no cookie was set");
      const id = decodeURIComponent(cookie).replace(/^connect\.sid=s:(.*)\..*$/, "$1");
      let visits = 0;
      for (const options of Object.values(transports)) {
        const own: AnyClientOptions = { ...(options as AnyClientOptions), extraHeaders: { cookie } };
        const clients: AnyClient[] = Array.from({ length: CLIENTS }, () =>
          openAnyClient(version, `http://127.0.0.1:${visitsPort}`, own),
        );
        using _clients = closing(() => clients.forEach((client) => void client.close()));
        await Promise.all(clients.map(anyConnected));
        for (const client of clients) assert.deepEqual(await ask(client, "visit"), { id, visits: ++visits });
      }
    }).timeout(60_000);

  it(`lose no client in ${LOAD_SECONDS} s of load`, async () => {
    const { answers, comings, losses } = await load(url, LOAD_SECONDS * 1000);
    if (process.env["LOAD_SECONDS"] !== undefined)
      process.stdout.write(`      ${answers} answers, ${comings} connections, ${losses.length} losses\n`);
    assert.deepEqual(losses, []);
  }).timeout((LOAD_SECONDS + 60) * 1000);

  it("have clients on all of them", async () => {
    const clients = Array.from({ length: 30 }, () => openAnyClient("4", url));
    using _clients = closing(() => clients.forEach((client) => void client.close()));
    await Promise.all(clients.map(anyConnected));
    const pids = await Promise.all(clients.map((client) => ask<number>(client, "pid")));
    assert.equal(new Set(pids).size, WORKERS);
  }).timeout(60_000);
}

/** Starts what is in front of the workers, if anything is. */
async function startFront(front: Front | undefined, port: number): Promise<RunningProxy | undefined> {
  const program = front && findProxy(front.name);
  if (front === undefined || program === undefined) return undefined;
  return startProxy(program, front.run, front.configurationOf(port));
}

/**
 * Clients of all versions, on all transports, talk without a break for a while. A part of them leaves again and again, and others come.
 *
 * @returns what they lost: connections that nobody has closed, and handshakes that failed
 */
async function load(
  url: string,
  ms: number,
): Promise<{ answers: number; comings: number; losses: string[] }> {
  const end = performance.now() + ms;
  const seen = { answers: 0, comings: 0, losses: [] as string[] };
  const talk = async (version: string, options: AnyClientOptions, stay: number): Promise<void> => {
    while (performance.now() < end) {
      const client = openAnyClient(version, url, options);
      using _client = closing(() => void client.close());
      const fail = (reason: unknown): void => void seen.losses.push(`version ${version}: ${String(reason)}`);
      client.on("disconnect", fail);
      client.on("connect_error", fail);
      await anyConnected(client);
      seen.comings++;
      const until = Math.min(end, performance.now() + stay);
      for (let count = 0; performance.now() < until; count++) {
        const value = count % 50 === 49 ? "x".repeat(100_000) : count;
        assert.equal(await ask(client, "echo", value), value);
        seen.answers++;
        await delay(20);
      }
      client.off("disconnect", fail);
    }
  };
  const talks = Object.keys(clientVersions).flatMap((version) =>
    Object.values(transports).flatMap((options) =>
      [Infinity, 500].map((stay) => talk(version, options as AnyClientOptions, stay)),
    ),
  );
  await Promise.all(talks);
  return seen;
}

async function serves(client: AnyClient, transport: string): Promise<void> {
  await anyConnected(client);
  assert.equal(await ask(client, "echo", "text"), "text");
  if (transport === "upgrade") await anyUpgraded(client);
  const bytes = Buffer.from([0, 127, 128, 255]);
  assert.deepEqual(Buffer.from(await ask<Uint8Array>(client, "echo", bytes)), bytes);
  const large = "ä".repeat(100_000);
  assert.equal(await ask(client, "echo", large), large);
  for (let count = 0; count < 10; count++) assert.equal(await ask(client, "echo", count), count);
  assert.equal(client.io.engine.transport.name, transport === "polling" ? "polling" : "websocket");
}

/** Each client shouts once, and all of them hear all shouts. */
async function hearEachOther(clients: readonly AnyClient[]): Promise<void> {
  const heard = clients.map(
    (client) =>
      new Promise<number[]>((resolve) => {
        const shouts: number[] = [];
        client.on("shouted", (index: number) => {
          shouts.push(index);
          if (shouts.length === clients.length) resolve(shouts.toSorted((a, b) => a - b));
        });
      }),
  );
  for (const [index, client] of clients.entries()) client.emit("shout", index);
  for (const shouts of await Promise.all(heard)) assert.deepEqual(shouts, [...clients.keys()]);
}
