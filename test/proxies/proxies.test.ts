// The examples of docs/deployment.md, run by the proxies they are for, in front of a server on each host.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Server } from "@tidewire/server";
import type { ServerOptions, Socket as ServerSocket } from "@tidewire/server";
import { io as openClient } from "socket.io-client";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { findProxy, whyMissing } from "../../scripts/setup.mjs";
import { passedChecks, statsSocket } from "../support/proxies/haproxy-checks.ts";
import { startProxy } from "../support/proxies/running.ts";
import type { RunningProxy } from "../support/proxies/running.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { PATIENCE } from "../support/waiting/queue.ts";

const page = readFileSync(new URL("../../docs/deployment.md", import.meta.url), "utf8");

interface Proxy {
  readonly name: "nginx" | "HAProxy" | "Apache" | "Caddy";
  /** The language of the example on the page. */
  readonly language: string;
  /** The whole configuration around the example, for a process without children. */
  configure(example: string, port: number, folder: string): string;
  /** The arguments that run it in the foreground. */
  readonly run: (file: string) => string[];
  /** Why the server does not learn that a client which polls has gone. */
  readonly staysSilent?: string;
}

const proxies: readonly Proxy[] = [
  {
    name: "nginx",
    language: "nginx",
    configure: (example, port, folder) => `
      daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/log;
      events {}
      http {
        access_log off;
        client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
        uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
        ${replaced(example, "listen 80", `listen 127.0.0.1:${port}`)}
      }`,
    run: (file) => ["-e", "stderr", "-c", file],
  },
  {
    name: "HAProxy",
    language: "haproxy",
    // On a busy machine, this process may answer no check for seconds.
    configure: (example, port, folder) =>
      statsSocket(folder) +
      replaced(
        replaced(example, "bind :80", `bind 127.0.0.1:${port}`),
        "defaults\n",
        "defaults\n  timeout check 10s\n  default-server inter 100ms fall 50\n",
      ),
    run: (file) => ["-db", "-f", file],
  },
  {
    name: "Apache",
    language: "apache",
    configure: (example, port, folder) => `
      ServerRoot ${folder}
      ServerName localhost
      PidFile ${folder}/pid
      DefaultRuntimeDir ${folder}
      ErrorLog ${folder}/log
      Listen 127.0.0.1:${port}
      ${["mpm_event", "authz_core", "proxy", "proxy_http"].map(loadModule).join("\n")}
      ${process.getuid?.() === 0 ? "User www-data\nGroup www-data" : ""}
      ${example}`,
    run: (file) => ["-X", "-f", file],
    staysSilent: "Apache looks at its client only when it answers",
  },
  {
    name: "Caddy",
    language: "caddy",
    configure: (example, port) => `
{
  admin off
  auto_https off
}
${replaced(example, "example.com {", `http://127.0.0.1:${port} {`)}`,
    run: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
];

function loadModule(name: string): string {
  return `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`;
}

function replaced(text: string, old: string, next: string): string {
  assert.ok(text.includes(old), `the example has no "${old}"`);
  return text.replaceAll(old, next);
}

/** The example for a proxy, in front of the servers at these ports. */
function exampleFor(language: string, ports: readonly number[]): string {
  const example = page.match(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "m"))?.[1];
  assert.ok(example, `docs/deployment.md has no example for ${language}`);
  return ports.reduce(
    (text, port, index) => text.replaceAll(`127.0.0.1:${3000 + index}`, `127.0.0.1:${port}`),
    example,
  );
}

const transports: Readonly<Record<string, Partial<ManagerOptions & SocketOptions>>> = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

for (const proxy of proxies)
  for (const host of ["uws", "node"] as const) {
    const program = findProxy(proxy.name);
    const missing = program === undefined ? whyMissing(proxy.name) : host === "uws" ? whyNoUws : undefined;
    const title = `behind ${proxy.name} [${host}]`;

    if (program === undefined || missing !== undefined)
      describe(`${title} [${missing}]`, () => void it("works"));
    else describe(title, () => runSuite(proxy, program, host));
  }

const haproxy = proxies.find(({ name }) => name === "HAProxy");
const haproxyProgram = findProxy("HAProxy");
const whyNoHaproxy = haproxyProgram === undefined ? whyMissing("HAProxy") : whyNoUws;

describe(`behind HAProxy that sends the PROXY protocol [${whyNoHaproxy ?? "uws"}]`, () => {
  if (haproxy === undefined || haproxyProgram === undefined || whyNoHaproxy !== undefined)
    return void it("gets the address of the client");

  it("gets the address of the client", async () => {
    const io = startServer({ host: "uws", proxyProtocol: true });
    const target = await portOf(io);
    const running = await startProxy(haproxyProgram, haproxy.run, (port) =>
      [
        "listen tcp",
        "  mode tcp",
        "  timeout connect 5s",
        "  timeout client 60s",
        "  timeout server 60s",
        `  bind 127.0.0.1:${port}`,
        `  server one 127.0.0.1:${target} send-proxy-v2`,
        "",
      ].join("\n"),
    );
    try {
      const connected = once(io, "connection") as Promise<[{ handshake: { address: string } }]>;
      const socket = connect({ host: "127.0.0.1", port: running.port, localAddress: "127.0.0.2" });
      await once(socket, "connect");
      socket.write(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      await once(socket, "data");
      // The frame of a CONNECT, with a mask of zeros.
      socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]));
      const [{ handshake }] = await connected;
      assert.equal(handshake.address, "127.0.0.2");
      socket.destroy();
    } finally {
      await running.stop();
      await io.close();
    }
  });
});

function runSuite(proxy: Proxy, program: string, host: "uws" | "node"): void {
  let servers: Server[];
  let running: RunningProxy;
  let client: Socket | undefined;

  before(async () => {
    servers = [startServer({ host }), startServer({ host })];
    const example = exampleFor(proxy.language, await Promise.all(servers.map(portOf)));
    running = await startProxy(program, proxy.run, (port, folder) =>
      proxy.configure(`${example}\n`, port, folder),
    );
    // Before its first check has passed, one that fails takes a server out.
    if (proxy.name === "HAProxy") await passedChecks(running.folder, PATIENCE);
  });

  afterEach(() => client?.disconnect());

  after(async () => {
    // A proxy that does not start must not leave servers behind, for which the run would wait.
    await (running as RunningProxy | undefined)?.stop();
    await Promise.all(servers.map((server) => server.close()));
  });

  for (const [name, options] of Object.entries(transports)) {
    it(`exchanges events over ${name}`, async () => {
      client = openClient(`http://127.0.0.1:${running.port}`, {
        forceNew: true,
        reconnection: false,
        withCredentials: true,
        ...options,
      });
      const opened = client;
      await new Promise<void>((resolve, reject) =>
        opened.once("connect", resolve).once("connect_error", reject),
      );
      const { engine } = opened.io;
      if (name === "upgrade" && engine.transport.name === "polling")
        await new Promise<void>((resolve) => void engine.once("upgrade", () => resolve()));
      assert.equal(engine.transport.name, name === "polling" ? "polling" : "websocket");

      const echo = (data: unknown): Promise<unknown> => opened.timeout(PATIENCE).emitWithAck("echo", data);
      assert.equal(await echo("text"), "text");
      assert.deepEqual(await echo(Buffer.from([0, 255])), Buffer.from([0, 255]));
      assert.equal(await echo("a".repeat(900_000)), "a".repeat(900_000));
      for (let count = 0; count < 10; count++) assert.equal(await echo(count), count);
      assert.equal(await opened.timeout(PATIENCE).emitWithAck("address"), "127.0.0.1");
    });
  }

  if (proxy.name === "HAProxy")
    it("passes the health checks", async () => {
      assert.deepEqual(await passedChecks(running.folder, PATIENCE), { one: "L7OK 200", two: "L7OK 200" });
    });

  const tells = "tells the server at once when a client that polls has gone";
  if (proxy.staysSilent !== undefined) return void it(`${tells} [${proxy.staysSilent}]`);

  it(tells, async () => {
    const base = `http://127.0.0.1:${running.port}/socket.io/?EIO=4&transport=polling`;
    const opened = await fetch(base);
    const cookie = opened.headers
      .getSetCookie()
      .map((each) => each.split(";")[0]!)
      .join("; ");
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    const connected = connectionOf(servers);
    const url = `${base}&sid=${sid}`;
    await (await fetch(url, { method: "POST", body: "40", headers: { cookie } })).text();
    const socket = await connected;
    await (await fetch(url, { headers: { cookie } })).text();

    const poll = connect(running.port, "127.0.0.1");
    const { pathname, search } = new URL(url);
    poll.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1:${running.port}\r\nCookie: ${cookie}\r\n\r\n`,
    );
    while (!socket.conn.transport.writable) await delay(5);
    const gone = once(socket, "disconnect");
    poll.destroy();
    assert.match(String((await gone)[0]), /^transport (close|error)$/);
  });
}

/** The next socket at any of these servers. */
async function connectionOf(servers: readonly Server[]): Promise<ServerSocket> {
  const [socket] = (await Promise.race(servers.map((server) => once(server, "connection")))) as [
    ServerSocket,
  ];
  return socket;
}

function startServer(options: Partial<ServerOptions>): Server {
  const io = new Server(0, options);
  io.on("connection", (socket) => {
    socket.on("echo", (data: unknown, reply: (data: unknown) => void) => reply(data));
    socket.on("address", (reply: (address: unknown) => void) =>
      reply(socket.handshake.headers["x-forwarded-for"]),
    );
  });
  return io;
}

async function portOf(io: Server): Promise<number> {
  if (!io.httpServer.listening) await once(io.httpServer, "listening");
  return (io.httpServer.address() as AddressInfo).port;
}
