// Three workers of one script, without affinity: behind proxies that share their connections among clients, and without one.
import assert from "node:assert/strict";
import { findProxy, whyMissing } from "../../scripts/setup.mjs";
import { freePort } from "../browser/support/chat-process.ts";
import { scriptOf, Tidewire } from "../support/cli/tidewire.ts";
import {
  anyConnected,
  anyUpgraded,
  ask,
  clientVersions,
  openAnyClient,
} from "../support/cluster/any-client.ts";
import type { AnyClient, AnyClientOptions } from "../support/cluster/any-client.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { startProxy } from "../support/proxies/running.ts";
import type { RunningProxy } from "../support/proxies/running.ts";
import { transports } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { needUws } from "../support/uws/absent.ts";
import { closing } from "../support/waiting/closing.ts";

const WORKERS = 3;
/** Of each version on each transport. */
const CLIENTS = 6;
const READY = /worker \d \(pid \d+\) is ready/;

interface Front {
  readonly name: "HAProxy" | "nginx";
  readonly run: (file: string) => string[];
  configure(target: number, port: number, folder: string): string;
}

const fronts: readonly Front[] = [
  {
    name: "HAProxy",
    run: (file) => ["-db", "-f", file],
    configure: (target, port) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend web
  bind 127.0.0.1:${port}
  default_backend workers
backend workers
  balance roundrobin
  http-reuse always
  server one 127.0.0.1:${target}
  server two 127.0.0.1:${target}
  server three 127.0.0.1:${target}
`,
  },
  {
    name: "nginx",
    run: (file) => ["-e", "stderr", "-c", file],
    configure: (target, port, folder) => `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/log;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream workers { server 127.0.0.1:${target}; keepalive 16; keepalive_timeout 5s; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://workers;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_buffering off;
    }
  }
}
`,
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
  let proxy: RunningProxy | undefined = undefined;
  let url = "";

  before(async function () {
    this.timeout(60_000);
    if (host === "uws") needUws();
    const port = await freePort();
    const args = ["start", "--workers", String(WORKERS), scriptOf("echo.ts"), "--", host];
    tidewire = Tidewire.run(args, { PORT: String(port) });
    await tidewire.saysTimes(READY, WORKERS);
    const program = front && findProxy(front.name);
    if (front !== undefined && program !== undefined)
      proxy = await startProxy(program, front.run, (own, folder) => front.configure(port, own, folder));
    url = `http://127.0.0.1:${proxy?.port ?? port}`;
  });

  after(async function () {
    this.timeout(60_000);
    await proxy?.stop();
    await tidewire?.[Symbol.asyncDispose]();
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

  it("have clients on all of them", async () => {
    const clients = Array.from({ length: 30 }, () => openAnyClient("4", url));
    using _clients = closing(() => clients.forEach((client) => void client.close()));
    await Promise.all(clients.map(anyConnected));
    const pids = await Promise.all(clients.map((client) => ask<number>(client, "pid")));
    assert.equal(new Set(pids).size, WORKERS);
  }).timeout(60_000);
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
