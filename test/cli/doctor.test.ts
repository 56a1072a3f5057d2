// `tidewire doctor` in front of healthy and of misconfigured servers and proxies.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { fileURLToPath } from "node:url";
import { Server as OfficialServer } from "socket.io";
import { doctorCommand } from "../../packages/cli/src/commands/doctor.ts";
import { findProxy, whyMissing } from "../../scripts/setup.mjs";
import { freePort } from "../support/hosts/free-port.ts";
import { runCommand } from "../support/cli/run.ts";
import { scriptOf, Tidewire } from "../support/cli/tidewire.ts";
import { listen } from "../support/hosts/listening.ts";
import { tls } from "../support/http2/peers.ts";
import {
  apache,
  haproxy,
  nginx,
  runApache,
  runHaproxy,
  runNginx,
} from "../support/proxies/configurations.ts";
import { startProxy } from "../support/proxies/running.ts";
import type { RunningProxy } from "../support/proxies/running.ts";
import { serve } from "../support/server/serve.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { needUws } from "../support/uws/absent.ts";

const PING = { pingInterval: 1_500 };
const ORIGIN = "https://app.example";

interface Result {
  readonly status: string;
  readonly found: string;
  readonly meaning?: string;
  readonly fixes?: readonly { where: string; lines: string[] }[];
}

interface Diagnosis {
  readonly code: number;
  readonly ok: boolean;
  /** By the name of the check. */
  readonly results: Readonly<Record<string, Result>>;
  readonly wrong: readonly string[];
}

async function examine(url: string, ...args: string[]): Promise<Diagnosis> {
  const { code, out } = await runCommand(doctorCommand, [url, "--json", "--timeout", "4", ...args]);
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: (Result & { name: string })[] };
  const results = Object.fromEntries(checks.map((check) => [check.name, check]));
  const wrong = checks.filter(({ status }) => status === "wrong").map(({ name }) => name);
  assert.equal(code, ok ? 0 : 1);
  assert.equal(ok, wrong.length === 0);
  return { code, ok, results, wrong };
}

function linesFor(result: Result | undefined, where: string): string[] {
  return result?.fixes?.find((fix) => fix.where === where)?.lines ?? [];
}

for (const host of serverHosts) {
  describe(`tidewire doctor [${host.name}]`, function () {
    this.timeout(30_000);

    it("finds nothing wrong with a server", async () => {
      await using server = await host.start({ ...PING, cors: { origin: ORIGIN, credentials: true } });
      let connections = 0;
      server.io.on("connection", () => connections++);
      const { results, wrong } = await examine(server.url, "--origin", ORIGIN);
      assert.deepEqual(wrong, []);
      assert.match(results["idle poll"]!.found, /^ping after [1-9]\.\d s$/);
      assert.match(results["idle WebSocket"]!.found, /^ping after [1-9]\.\d s, pong sent$/);
      assert.equal(results["HTTP/1.0"]?.status, host.name === "uws" ? "note" : "ok");
      assert.equal(connections, 0);
      assert.equal(server.io.engine.clientsCount, 0);
    });

    it("says which origins may not connect", async () => {
      await using server = await host.start({ ...PING, cors: { origin: "https://other.example" } });
      const { results, wrong } = await examine(server.url, "--origin", ORIGIN, "--hold", "0");
      assert.deepEqual(wrong, ["CORS"]);
      assert.deepEqual(linesFor(results["CORS"], "application"), [
        `new Server({ cors: { origin: "${ORIGIN}", credentials: true } })`,
      ]);
    });

    it("notes that pages of any origin may connect, but without cookies", async () => {
      await using server = await host.start({ ...PING, cors: { origin: "*" } });
      const { results, wrong } = await examine(server.url, "--origin", ORIGIN, "--hold", "0");
      assert.deepEqual([wrong, results["CORS"]?.status], [[], "note"]);
      assert.equal(results["CORS"]?.found, "any origin, without cookies");
    });

    it("says that browsers drop a cookie, or keep it from pages of another site", async () => {
      await using careless = await host.start({ ...PING, cookie: { name: "io", sameSite: "none" } });
      const dropped = await examine(careless.url, "--hold", "0");
      assert.deepEqual(dropped.wrong, ["cookies"]);
      assert.match(linesFor(dropped.results["cookies"], "application")[0]!, /sameSite: "none", secure: true/);
      await using strict = await host.start({
        ...PING,
        cookie: true,
        cors: { origin: ORIGIN, credentials: true },
      });
      const kept = await examine(strict.url, "--origin", ORIGIN, "--hold", "0");
      assert.deepEqual([kept.wrong, kept.results["cookies"]?.status], [[], "note"]);
    });

    it("says that the server has another path", async () => {
      await using server = await host.start({ ...PING, path: "/live/" });
      const { wrong, results } = await examine(server.url, "--hold", "0");
      // An HTTP server without a listener leaves the request pending.
      const name = host.name === "node" ? "reachable" : "path";
      assert.deepEqual(wrong, [name]);
      assert.match(linesFor(results[name], "application")[0]!, /new Server\(\{ path: /);
      assert.equal(results["WebSocket"]?.found, "needs: path");
      assert.deepEqual((await examine(server.url, "--path", "live", "--hold", "0")).wrong, []);
    });

    it("says that the application refuses clients, unless they have the header", async () => {
      await using server = await host.start({
        ...PING,
        allowRequest: ({ headers }, decide) => decide(null, headers.authorization === "Bearer x"),
      });
      const { wrong, results } = await examine(server.url, "--hold", "0");
      assert.deepEqual(wrong, ["polling", "WebSocket"]);
      assert.match(results["polling"]!.meaning!, /allowRequest/);
      const header = ["--header", "Authorization: Bearer x"];
      assert.deepEqual((await examine(server.url, "--hold", "0", ...header)).wrong, []);
    });

    it("notes the transports that a server does not offer, and goes on with the others", async () => {
      await using onlyWebSocket = await host.start({ ...PING, transports: ["websocket"] });
      const first = await examine(onlyWebSocket.url);
      assert.deepEqual(first.wrong, []);
      assert.deepEqual(
        [first.results["polling"]?.status, first.results["idle WebSocket"]?.status],
        ["note", "ok"],
      );
      await using onlyPolling = await host.start({ ...PING, transports: ["polling"] });
      const second = await examine(onlyPolling.url);
      assert.deepEqual(second.wrong, []);
      assert.deepEqual(
        [second.results["WebSocket"]?.status, second.results["idle poll"]?.status],
        ["note", "ok"],
      );
    });

    describeBehind("nginx", (start) => {
      const headers = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;";
      const pass = (server: StartedServer): string => `proxy_pass http://127.0.0.1:${server.port};`;

      it("finds nothing wrong, with buffering or without", async () => {
        await using server = await host.start(PING);
        for (const buffering of ["on", "off"]) {
          const lines = `${pass(server)} proxy_http_version 1.1; ${headers} proxy_buffering ${buffering};`;
          await using proxy = await start(nginx(lines));
          const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`);
          assert.deepEqual(wrong, [], JSON.stringify(results, undefined, 1));
          assert.match(results["reachable"]!.found, /nginx/);
          assert.deepEqual(linesFor(results["X-Forwarded-For"], "nginx"), [
            "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
          ]);
        }
      });

      it("says that the Upgrade header is missing", async () => {
        await using server = await host.start(PING);
        await using proxy = await start(nginx(`${pass(server)} proxy_http_version 1.1;`));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`, "--hold", "0");
        assert.deepEqual(wrong, ["WebSocket"]);
        assert.equal(results["WebSocket"]?.found, "400 Bad request");
        assert.deepEqual(linesFor(results["WebSocket"], "nginx"), [
          "proxy_http_version 1.1;",
          "proxy_set_header Upgrade $http_upgrade;",
          'proxy_set_header Connection "upgrade";',
        ]);
      });

      it("says that the proxy speaks HTTP/1.0", async () => {
        await using server = await host.start(PING);
        const status = host.name === "uws" ? 505 : 200;
        await using proxy = await start(nginx(`${pass(server)} proxy_http_version 1.0;`), status);
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`, "--hold", "0");
        const name = host.name === "uws" ? "reachable" : "WebSocket";
        assert.deepEqual(wrong, [name]);
        assert.equal(linesFor(results[name], "nginx")[0], "proxy_http_version 1.1;");
      });

      it("says that the proxy gives up too early", async () => {
        await using server = await host.start({ pingInterval: 3_000 });
        const lines = `${pass(server)} proxy_http_version 1.1; ${headers} proxy_read_timeout 1s;`;
        await using proxy = await start(nginx(lines));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`);
        assert.deepEqual(wrong, ["idle poll", "idle WebSocket"]);
        assert.match(results["idle poll"]!.found, /^504 text\/html after [1-9]\.\d s$/);
        assert.match(results["idle WebSocket"]!.found, /^closed after [1-9]\.\d s without traffic$/);
        for (const name of wrong)
          assert.deepEqual(linesFor(results[name], "nginx"), ["proxy_read_timeout 60s;"]);
      });

      it("says that the proxy takes no large bodies", async () => {
        await using server = await host.start({ ...PING, maxHttpBufferSize: 3e6 });
        await using proxy = await start(nginx(`${pass(server)} proxy_http_version 1.1; ${headers}`));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`, "--hold", "0");
        assert.deepEqual(wrong, ["large POST"]);
        assert.deepEqual(linesFor(results["large POST"], "nginx"), ["client_max_body_size 3m;"]);
      });

      it("says that the proxy cuts the path off", async () => {
        await using server = await host.start(PING);
        const whole = `location = /socket.io/socket.io.js { ${pass(server)} proxy_http_version 1.1; }`;
        const cut = `location /socket.io/ { proxy_pass http://127.0.0.1:${server.port}/; proxy_http_version 1.1; }`;
        await using proxy = await start(nginx(`${whole} ${cut}`));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`, "--hold", "0");
        const name = host.name === "node" ? "reachable" : "path";
        assert.deepEqual(wrong, [name]);
        assert.match(linesFor(results[name], "nginx")[0]!, /proxy_pass http:\/\/127\.0\.0\.1:3000; }/);
      });

      it("says that the proxy answers from its cache", async () => {
        await using server = await host.start(PING);
        const cache =
          "proxy_cache all; proxy_cache_key $uri; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Set-Cookie;";
        const plain = `location = /socket.io/socket.io.js { ${pass(server)} proxy_http_version 1.1; }`;
        const cached = `location /socket.io/ { ${pass(server)} proxy_http_version 1.1; ${headers} ${cache} }`;
        const zone = "proxy_cache_path FOLDER/cache keys_zone=all:1m;";
        await using proxy = await start(nginx(`${plain} ${cached}`, zone));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`, "--hold", "0");
        assert.ok(wrong.includes("polling"));
        assert.deepEqual(linesFor(results["polling"], "nginx"), ["proxy_cache off;"]);
      });

      it("says that both the server and the proxy send CORS headers", async () => {
        await using server = await host.start({ ...PING, cors: { origin: ORIGIN } });
        const twice = `add_header Access-Control-Allow-Origin ${ORIGIN} always;`;
        await using proxy = await start(nginx(`${pass(server)} proxy_http_version 1.1; ${headers} ${twice}`));
        const { wrong, results } = await examine(
          `http://127.0.0.1:${proxy.port}`,
          "--origin",
          ORIGIN,
          "--hold",
          "0",
        );
        assert.deepEqual(wrong, ["CORS"]);
        assert.match(linesFor(results["CORS"], "nginx")[0]!, /remove: add_header/);
      });
    });

    describeBehind("HAProxy", (start) => {
      it("says that requests of a session reach different servers, unless a cookie keeps them together", async () => {
        await using one = await host.start(PING);
        await using two = await host.start(PING);
        const servers = [one, two].map(({ port }, index) => `127.0.0.1:${port} cookie s${index}`);
        const close = "option http-server-close";
        await using roundRobin = await start(haproxy(`${close}\nbalance roundrobin`, servers));
        const { wrong, results } = await examine(`http://127.0.0.1:${roundRobin.port}`);
        assert.deepEqual(wrong, ["sticky sessions"]);
        assert.match(results["sticky sessions"]!.found, /^\d of 8 requests: Session ID unknown$/);
        assert.ok(
          linesFor(results["sticky sessions"], "HAProxy").includes("cookie SERVERID insert indirect nocache"),
        );
        await using sticky = await start(
          haproxy(`${close}\ncookie SERVERID insert indirect nocache`, servers),
        );
        const cured = await examine(`http://127.0.0.1:${sticky.port}`);
        assert.deepEqual(cured.wrong, []);
        assert.match(cured.results["sticky sessions"]!.found, /only with the cookies SERVERID$/);
        assert.equal(cured.results["cookies"]?.found, "SERVERID; path=/");
      });

      it("says that the proxy gives up too early", async () => {
        await using server = await host.start({ pingInterval: 3_000 });
        await using proxy = await start(haproxy("timeout server 1s", [`127.0.0.1:${server.port}`]));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`);
        assert.deepEqual(wrong, ["idle poll", "idle WebSocket"]);
        assert.ok(linesFor(results["idle poll"], "HAProxy").includes("timeout server 60s"));
      });
    });

    describeBehind("Apache", (start) => {
      it("says that upgrade= is missing", async () => {
        await using server = await host.start(PING);
        const at = `/socket.io/ http://127.0.0.1:${server.port}/socket.io/`;
        await using healthy = await start(apache(`ProxyPass ${at} upgrade=websocket`));
        assert.deepEqual((await examine(`http://127.0.0.1:${healthy.port}`)).wrong, []);
        await using proxy = await start(apache(`ProxyPass ${at}`));
        const { wrong, results } = await examine(`http://127.0.0.1:${proxy.port}`, "--hold", "0");
        assert.deepEqual(wrong, ["WebSocket"]);
        assert.match(linesFor(results["WebSocket"], "Apache")[0]!, /upgrade=websocket/);
      });
    });
  });
}

describe("tidewire doctor", function () {
  this.timeout(30_000);

  it("finds nothing wrong with the official server", async () => {
    const http = createServer();
    const io = new OfficialServer(http, { ...PING, allowEIO3: true });
    const { port } = await listen(http);
    try {
      const { wrong, results } = await examine(`http://127.0.0.1:${port}`);
      assert.deepEqual(wrong, []);
      assert.equal(results["protocols"]?.found, "4, and 3 for clients of version 2");
      assert.equal(io.engine.clientsCount, 0);
    } finally {
      await io.close();
    }
  });

  it("finds nothing wrong with several workers, without sticky sessions", async function () {
    this.timeout(60_000);
    needUws();
    const port = await freePort();
    const args = ["start", "--workers", "2", scriptOf("echo.ts")];
    await using tidewire = Tidewire.run(args, { PORT: String(port) });
    await tidewire.saysTimes(/is ready on port/, 2);
    const { wrong, results } = await examine(`http://127.0.0.1:${port}`, "--hold", "1");
    assert.deepEqual(wrong, []);
    assert.equal(results["sticky sessions"]?.found, "8 requests of a session reached its server");
    assert.match(results["idle poll"]!.found, /^held for [1-9]\.\d s$/);
    assert.match(results["idle WebSocket"]!.found, /^idle for [1-9]\.\d s$/);
  });

  it("says that a certificate is not to be trusted", async () => {
    const http = createSecureServer({ ...tls });
    await using server = await serve(new socketio.Server(http, PING), http, "https");
    const { wrong, results } = await examine(server.url);
    assert.deepEqual(wrong, ["certificate"]);
    assert.match(results["certificate"]!.meaning!, /signed by nobody but itself/);
  });

  it("finds nothing wrong with a certificate that this machine trusts", async () => {
    const http = createSecureServer({ ...tls });
    await using server = await serve(new socketio.Server(http, PING), http, "https");
    const certificate = fileURLToPath(new URL("../support/tls/cert.pem", import.meta.url));
    const url = `https://localhost:${server.port}`;
    await using tidewire = Tidewire.run(["doctor", url, "--hold", "0"], { NODE_EXTRA_CA_CERTS: certificate });
    assert.equal(await tidewire.ended, 0, tidewire.text);
    assert.equal(tidewire.find(/^ok +certificate +for .*localhost.*, until \d{4}-\d\d-\d\d$/).length, 1);
  });

  it("says that nothing listens, and that something else does", async () => {
    const http = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<p>hello</p>");
    });
    const { port, stop } = await listen(http);
    const page = await examine(`http://127.0.0.1:${port}`);
    assert.deepEqual(page.wrong, ["path"]);
    assert.match(page.results["path"]!.meaning!, /^A page answers here/);
    stop();
    const nothing = await examine(`http://127.0.0.1:${port}`);
    assert.deepEqual(nothing.wrong, ["reachable"]);
    assert.equal(nothing.results["reachable"]?.found, `nothing listens on 127.0.0.1:${port}`);
  });

  it("prints aligned lines without colours where nobody looks", async () => {
    const { code, out, err } = await runCommand(doctorCommand, ["http://127.0.0.1:1"]);
    assert.deepEqual([code, err], [1, ""]);
    const [first, second] = out.split("\n");
    assert.equal(first, "wrong    reachable        nothing listens on 127.0.0.1:1");
    assert.equal(second, "                          The server, or a proxy, does not answer.");
    assert.match(out, /\n\nOne thing is wrong\.\n$/);
  });

  for (const [args, message] of [
    [[], "name the server, such as: tidewire doctor https://example.com"],
    [["example.com"], '"example.com" is not the address of a server, such as https://example.com'],
    [["http://a", "http://b"], 'there is one server, and "http://b" is a second'],
    [["http://a", "--hold", "x"], '--hold is a number of seconds from 0 to 300, not "x"'],
    [
      ["http://a", "--header", "x"],
      '--header is a name and a value, such as "Authorization: Bearer x", not "x"',
    ],
    [["http://a", "--port", "1"], "unknown option '--port'"],
  ] as const)
    it(`refuses the arguments: ${args.join(" ") || "none"}`, async () => {
      const { code, err } = await runCommand(doctorCommand, args);
      assert.deepEqual([code, err.split("\n")[0]], [2, `tidewire doctor: ${message}`]);
    });
});

type Start = (configure: (port: number, folder: string) => string, status?: number) => Promise<RunningProxy>;

function describeBehind(name: "nginx" | "HAProxy" | "Apache", suite: (start: Start) => void): void {
  const program = findProxy(name);
  const run = { nginx: runNginx, HAProxy: runHaproxy, Apache: runApache }[name];
  if (program === undefined) describe(`behind ${name} [${whyMissing(name)}]`, () => void it("works"));
  else
    describe(`behind ${name}`, () =>
      suite((configure, status) => startProxy(program, run, configure, status)));
}
