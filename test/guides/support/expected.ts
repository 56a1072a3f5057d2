// What the programs of each page print, in order. A part of a program is run with what it takes for granted around it.
import { argumentsOf } from "./commands.ts";

export interface Expected {
  readonly title: string;
  /** What it prints. */
  readonly lines: readonly string[];
  /** Precedes a part of a program. */
  readonly head?: string;
  /** Follows the program: looks at it from outside, and ends it. */
  readonly tail?: string;
  /** What has to be different in a test. */
  readonly changes?: readonly (readonly [from: string, to: string])[];
  /** It needs a Redis, which it finds in REDIS_URL. */
  readonly needsRedis?: boolean;
  /** It waits for seconds, and is run beside the others. */
  readonly isSlow?: boolean;
}

const SERVER = 'import { Server } from "@tidewire/server";';
const CLIENT = 'import { io as connect } from "socket.io-client";';
const CLUSTER = 'import { cluster } from "@tidewire/cluster";';
const REDIS = 'import { Redis } from "ioredis";\nconst client = new Redis(process.env.REDIS_URL);';

/** A client of a program, which is connected. */
const VISIT = `
  const { io: open } = await import("socket.io-client");
  const visit = async (options) => {
    const visitor = open("http://localhost:3000", { forceNew: true, reconnection: false, ...options });
    await new Promise((resolve, reject) => visitor.once("connect", resolve).once("connect_error", reject));
    return visitor;
  };`;

/** A program that says hello, by long-polling and WebSocket, and over HTTP. */
function greeter(title: string, close: string = "await io.close();", port: number = 3000): Expected {
  const lines = ["hello over Socket.IO", "websocket: hello over Socket.IO", "hello over HTTP"];
  const tail = `
    const { io: open } = await import("socket.io-client");
    const visitor = open("http://localhost:${port}", { forceNew: true });
    console.log(await visitor.emitWithAck("hello"));
    const { engine } = visitor.io;
    if (engine.transport.name === "polling") await new Promise((resolve) => engine.once("upgrade", resolve));
    console.log(engine.transport.name + ": " + (await visitor.emitWithAck("hello")));
    console.log(await (await fetch("http://localhost:3000/hello")).text());
    visitor.close();
    ${close}`;
  return { title, lines, tail };
}

/** A program that drains its server on SIGTERM. */
function drained(title: string, changes: Expected["changes"] = []): Expected {
  const lines = ["true", "200", "false", "transport close"];
  const tail = `${VISIT}
    const closed = new Promise((resolve) => httpServer.once("close", resolve));
    while (!io.ready) await new Promise((resolve) => setTimeout(resolve, 10));
    const visitor = await visit();
    console.log(io.ready);
    console.log((await fetch("http://localhost:3000/ready")).status);
    process.emit("SIGTERM");
    console.log(io.ready);
    console.log(await new Promise((resolve) => visitor.once("disconnect", resolve)));
    await closed;`;
  return { title, lines, tail, changes };
}

const VITE_FOLDER = 'root: import.meta.dirname, configFile: false, logLevel: "silent"';

/** A header of the PROXY protocol, version 2, from 203.0.113.7, and the handshake of a WebSocket that joins the main namespace. */
const PROXIED = `
  const { connect: dial } = await import("node:net");
  const address = new Promise((resolve) => io.on("connection", resolve));
  const socket = dial(3000, "127.0.0.1", () => {
    socket.write(Buffer.from("0d0a0d0a000d0a515549540a2111000ccb0071077f000001c0000bb8", "hex"));
    socket.write(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: Upgrade\\r\\n" +
        "Upgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n",
    );
    socket.once("data", () => socket.write(Buffer.from("818200000000" + "3430", "hex")));
  });
  await address;
  socket.destroy();
  await io.close();`;

/** Two servers of one cluster, each with a client in the room. */
const TWO_SERVERS = `${SERVER}\n${CLUSTER}\n${CLIENT}
  const start = () => new Server(0, { host: "node", cluster: cluster({ name: "guide-" + process.pid }) });
  const [io, other] = [start(), start()];
  while (io.cluster.nodes.length < 2 || !io.ready || !other.ready)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const heard = [];
  other.on("reload", () => heard.push("reload"));
  const clients = [];
  for (const server of [io, other]) {
    const joined = new Promise((resolve) => {
      server.once("connection", async (socket) => {
        await socket.join("room-101");
        resolve();
      });
    });
    const client = connect("http://localhost:" + server.httpServer.address().port, { forceNew: true });
    client.on("hello", () => heard.push(server === io ? "hello here" : "hello there"));
    client.on("question", (answer) => answer(42));
    clients.push(client);
    await joined;
  }
`;

/** Runs the commands of a page that end by themselves, and says their exit codes and what they print. */
function commandsOf(page: string): string {
  const commands = argumentsOf(page, "npx tidewire")
    .filter(([name]) => name === "emit" || name === "load" || name === "listen")
    .filter((args) => args.some((arg) => arg.startsWith("http")))
    .filter((args) => args[0] !== "listen" || args.includes("--count"))
    .map((args) => args.map((arg, index) => (args[index - 1] === "--duration" ? "0.2" : arg)));
  return `
    const { runCommand } = await import("../support/cli/run.ts");
    for (const [name, ...args] of ${JSON.stringify(commands)}) {
      const { [name + "Command"]: command } = await import(\`../../packages/cli/src/commands/\${name}.ts\`);
      const { code, out, err } = await runCommand(command, args);
      const [said] = /^errors .*$/m.exec(out) ?? [out.trimEnd().replaceAll(/"time":"[^"]*",/g, "").split("\\n").join(" ")];
      console.log(name, code, code === 0 ? said : err);
    }
    console.log(await saying);
    clearInterval(timer);
    await io.close();`;
}

/** The programs and parts of programs of each page, in order. */
export const expected: Readonly<Record<string, readonly Expected[]>> = {
  install: [{ title: "names the host", lines: ["HOST"] }],
  migrate: [
    {
      title: "prints the same with the official server",
      lines: ["who are you?", "hello", "5", "io server disconnect"],
    },
  ],
  frameworks: [
    greeter("Express"),
    greeter("Express on uWebSockets.js"),
    greeter("Fastify", "await app.close();"),
    greeter("Hono"),
    greeter("Koa"),
    greeter("H3"),
    {
      ...greeter("Vite", "await vite.close();"),
      changes: [["plugins: [live]", `plugins: [live], ${VITE_FOLDER}`]],
    },
    {
      title: "passes requests from Vite on",
      lines: ["hello over Socket.IO"],
      changes: [["export default defineConfig", "const config = defineConfig"]],
      tail: `${SERVER}\nimport { createServer } from "vite";
        const io = new Server(3001);
        io.on("connection", (socket) => socket.on("hello", (answer) => answer("hello over Socket.IO")));
        config.server.port = 3000;
        const vite = await createServer({ ...config, ${VITE_FOLDER} });
        await vite.listen();
        ${VISIT}
        const visitor = await visit({ transports: ["websocket"] });
        console.log(await visitor.emitWithAck("hello"));
        visitor.close();
        await io.close();
        await vite.close();`,
    },
    greeter("a port of its own", "await io.close(); httpServer.close();", 3001),
  ],
  questions: [
    {
      title: "shows who gets an event",
      lines: ["Ann's laptop got 2, 5, 6", "Ann's phone got 1, 3, 6", "Bob got 2, 3, 4"],
    },
  ],
  troubleshooting: [
    {
      title: "shows a refusal on both sides",
      lines: [
        "server: refused, 4 Forbidden",
        'client: xhr poll error, 403, {"code":4,"message":"Forbidden"}',
      ],
    },
  ],
  delivery: [
    {
      title: "ends the wait for an answer",
      lines: ["42", "AbortError"],
      head: `${SERVER}\n${CLIENT}
        const io = new Server(0);
        const client = connect("http://localhost:" + io.httpServer.address().port, { forceNew: true });
        client.on("question", (answer) => answer(42));
        const socket = await new Promise((resolve) => io.once("connection", resolve));`,
      tail: `
        console.log(answer);
        const unanswered = socket.signal(aborter.signal).emitWithAck("riddle");
        client.emit("leave");
        await unanswered.catch(({ name }) => console.log(name));
        client.close();
        await io.close();`,
    },
    {
      title: "holds events until their listener is there",
      lines: ["Ada: hello"],
      head: `${SERVER}
        const loadUser = (name) => new Promise((resolve) => setTimeout(resolve, 100, name));
        let save;
        const saved = new Promise((resolve) => (save = (user, text) => resolve(user + ": " + text)));`,
      tail: `${VISIT}
        const visitor = await visit({ auth: { token: "Ada" } });
        visitor.emit("message", "hello");
        console.log(await saved);
        visitor.close();
        await io.close();`,
    },
    {
      title: "conflates prices",
      lines: ["true ABC 200"],
      changes: [
        [
          'console.log(await socket.emitWithAck("how many"), prices',
          'console.log((await socket.emitWithAck("how many")) < 10, prices',
        ],
      ],
    },
    { title: "recovers a client", lines: ["one false", "two true"] },
  ],
  auth: [
    { title: "refuses a stranger", lines: ["Ada", "unknown key 401"] },
    {
      title: "refreshes tokens until they end",
      isSlow: true,
      lines: [
        "Ada is here",
        "refreshed",
        "Ada has left: AUTH_EXPIRED",
        "ended: AUTH_EXPIRED",
        "Ada is here",
        "back with a new token",
        "Ada has left: undefined",
      ],
    },
    {
      title: "follows a session of the page",
      isSlow: true,
      lines: [
        "Ada is here",
        "hello, Ada",
        "connected: true",
        "{ code: 'AUTH_REFUSED', message: 'not logged in' }",
      ],
    },
    {
      title: "checks again who is banned",
      lines: ["{ code: 'AUTH_REFUSED', message: 'banned' } io server disconnect", "banned"],
    },
  ],
  errors: [
    {
      title: "passes what a listener throws to a handler",
      lines: ["listener of order: no tea left (connected: true)", "3"],
    },
  ],
  typescript: [
    { title: "has types", lines: ["Ada: hello", "5.0"] },
    {
      title: "checks events",
      lines: [
        "7 2 × tea",
        "order [ 0, 'count' ]",
        "{",
        "  error: {",
        "    code: 'INVALID_EVENT',",
        "    message: 'The event does not match the contract',",
        "    issues: [ [Object] ]",
        "  }",
        "}",
      ],
    },
  ],
  testing: [
    {
      title: "tests an application in memory",
      lines: [
        "a message reaches everyone else",
        "ten minutes have passed",
        "recovered: true with the same id: true",
      ],
    },
    { title: "tests an application on a port", lines: ["world"] },
  ],
  tuning: [
    {
      title: "ends a client that does not read",
      lines: ["connections that wait: 1", "transport error SLOW_CONSUMER 1000000"],
    },
  ],
  deployment: [
    drained("leaves after it has drained"),
    drained("is a node of a cluster", [["chat-nodes", "127.0.0.1"]]),
    {
      title: "leaves when PM2 replaces it",
      lines: ["ready", "transport close", "ended"],
      changes: [
        ['process.send("ready")', 'console.log("ready")'],
        ["process.exit()", "end()"],
      ],
      head: "let end;\nconst ended = new Promise((resolve) => (end = resolve));",
      tail: `${VISIT}
        while (!io.ready) await new Promise((resolve) => setTimeout(resolve, 10));
        const visitor = await visit();
        const left = new Promise((resolve) => visitor.once("disconnect", resolve));
        process.emit("SIGINT");
        console.log(await left);
        await ended;
        console.log("ended");`,
    },
    {
      title: "reads the address that a load balancer sends",
      lines: ["203.0.113.7"],
      head: SERVER,
      tail: PROXIED,
    },
    {
      title: "counts as secure behind a proxy that ends TLS",
      lines: ["true"],
      head: SERVER,
      tail: `
        io.on("connection", ({ handshake }) => console.log(handshake.secure));
        ${VISIT}
        const visitor = await visit();
        visitor.close();
        await io.close();`,
    },
  ],
  draining: [drained("lets its clients leave before it ends")],
  inspector: [
    {
      title: "asks for a password",
      lines: ["401", "200 Tidewire inspector"],
      tail: `
        const page = "http://localhost:3000/_tidewire/";
        console.log((await fetch(page)).status);
        const headers = { authorization: "Basic " + btoa("ops:" + process.env.INSPECTOR_PASSWORD) };
        const answer = await fetch(page, { headers });
        console.log(answer.status, /<title>(.*)<\\/title>/.exec(await answer.text())[1]);
        await io.close();`,
    },
    {
      title: "asks the application who may open it",
      lines: ["403", "200"],
      head: `${SERVER}
        const io = new Server(3000);
        const sessionOf = async ({ headers }) => ({ role: headers.cookie });`,
      tail: `
        const page = "http://localhost:3000/_tidewire/";
        console.log((await fetch(page)).status);
        console.log((await fetch(page, { headers: { cookie: "admin" } })).status);
        await io.close();`,
    },
  ],
  disconnects: [
    {
      title: "says why a client has left",
      lines: [
        "client namespace disconnect: undefined, undefined",
        "forced close: BAD_SOCKET_PACKET, a Socket.IO packet could not be decoded: unknown packet type 9",
      ],
    },
  ],
  "limits-and-errors": [
    {
      title: "limits what a client may send",
      lines: ["0", "TOO_MANY_EVENTS"],
      tail: `${VISIT}
        const visitor = await visit();
        io.on("connection", (socket) => socket.on("count", (number, answer) => answer(number)));
        visitor.disconnect().connect();
        const answers = await Promise.all(
          Array.from({ length: 1000 }, (_, number) => visitor.emitWithAck("count", number)),
        );
        console.log(answers[0]);
        console.log(answers.find(({ error }) => error !== undefined).error.code);
        visitor.close();
        await io.close();`,
    },
    {
      title: "counts handshakes in Redis",
      needsRedis: true,
      lines: ["true"],
      tail: `${VISIT}
        if (client.status !== "ready") await new Promise((resolve) => client.once("ready", resolve));
        const visitor = await visit({ transports: ["websocket"] });
        const counts = await Promise.all(["127.0.0.1", "::1"].map((address) => handshakeLimiter.get(address)));
        console.log(counts.some((count) => count?.consumedPoints === 1));
        visitor.close();
        await io.close();
        client.disconnect();`,
    },
    {
      title: "reports what limits refuse",
      lines: ["TOO_MANY_CONNECTIONS 1", "xhr poll error 429"],
      head: `${SERVER}
        const log = { warn: ({ code, times }) => console.log(code, times) };
        const io = new Server(3000, { limits: { connectionsPerIp: 1 } });`,
      tail: `${VISIT}
        const visitor = await visit();
        await visit().catch(({ message, description }) => console.log(message, description));
        visitor.close();
        await io.close();`,
    },
  ],
  security: [
    {
      title: "refuses pages of other sites, and floods",
      lines: ["Unexpected server response: 400", "TOO_MANY_EVENTS 50", "9 TOO_MANY_EVENTS"],
    },
  ],
  "several-processes": [
    {
      title: "reaches the clients of all processes",
      lines: ["hello here, hello here, hello there, reload", "2 in room-102"],
      head: TWO_SERVERS,
      tail: `
        while (heard.length < 4 || (await io.in("room-102").count()) < 2)
          await new Promise((resolve) => setTimeout(resolve, 10));
        console.log(heard.toSorted().join(", "));
        console.log(await io.in("room-102").count(), "in room-102");
        for (const client of clients) client.close();
        await Promise.all([io.close(), other.close()]);`,
    },
    {
      title: "reports a gap",
      lines: ["3 broadcasts of abcd are missing"],
      head: `${SERVER}\n${CLUSTER}
        const log = { warn: (text) => console.log(text) };
        const io = new Server(0, { cluster: cluster({ name: "guide-" + process.pid }) });`,
      tail: `
        io.cluster.emit("gap", { from: "abcd", missed: 3 });
        await io.close();`,
    },
    {
      title: "broadcasts through another adapter",
      needsRedis: true,
      lines: ["hello"],
      tail: `${VISIT}
        const visitor = await visit();
        const heard = new Promise((resolve) => visitor.once("news", resolve));
        io.emit("news", "hello");
        console.log(await heard);
        visitor.close();
        await io.close();
        client.disconnect();`,
    },
    {
      title: "forms a cluster with the processes on its port",
      lines: ["a process has joined", "a process has left"],
      changes: [["${id}", "a process"]],
      tail: `
        const joined = new Promise((resolve) => io.cluster.once("join", resolve));
        const other = new Server(3000, { cluster: cluster() });
        await joined;
        const left = new Promise((resolve) => io.cluster.once("leave", resolve));
        await other.close();
        await left;
        await io.close();`,
    },
  ],
  "several-machines": [
    {
      title: "forms a cluster through Redis",
      needsRedis: true,
      lines: ["hello"],
      changes: [["port: [7900, 7963], ", ""]],
      tail: `
        const second = new Redis(process.env.REDIS_URL);
        const joined = new Promise((resolve) => io.cluster.once("join", resolve));
        const other = new Server(3001, {
          cluster: cluster({
            name: "chat",
            listen: { secret: process.env.TIDEWIRE_SECRET },
            backend: redis({ client: second }),
          }),
        });
        await joined;
        ${VISIT}
        const visitor = await visit();
        const heard = new Promise((resolve) => visitor.once("news", resolve));
        other.emit("news", "hello");
        console.log(await heard);
        visitor.close();
        await Promise.all([io.close(), other.close()]);
        client.disconnect();
        second.disconnect();`,
    },
    {
      title: "joins a room",
      lines: ["true", "hello"],
      head: `${SERVER}
        const io = new Server(3000);
        const connected = new Promise((resolve) => io.once("connection", resolve));
        ${VISIT}
        const visitor = await visit();
        const socket = await connected;
        const heard = new Promise((resolve) => visitor.once("hello", () => resolve("hello")));`,
      tail: `
        console.log(socket.rooms.has("room-101"));
        console.log(await heard);
        visitor.close();
        await io.close();`,
    },
    {
      title: "recovers a client through Redis",
      needsRedis: true,
      lines: ["one false", "two true"],
      head: `${SERVER}\n${CLUSTER}\nimport { redis } from "@tidewire/cluster-redis";\n${REDIS}
        const listen = { secret: process.env.TIDEWIRE_SECRET };`,
      tail: `${VISIT}
        const connected = new Promise((resolve) => io.once("connection", resolve));
        const visitor = await visit({ reconnection: true, reconnectionDelay: 100 });
        const next = () => new Promise((resolve) => visitor.once("news", resolve));
        let heard = next();
        io.emit("news", "one");
        console.log(await heard, visitor.recovered);
        const socket = await connected;
        const left = new Promise((resolve) => socket.once("disconnect", resolve));
        heard = next();
        visitor.io.engine.close();
        await left;
        io.emit("news", "two");
        console.log(await heard, visitor.recovered);
        visitor.close();
        await io.close();
        client.disconnect();`,
    },
    {
      title: "says what fails",
      lines: [
        "DISCOVERY_AWAY: Redis is away",
        "DISCOVERY_AWAY is over",
        "3 broadcasts of abcd are missing",
        "10.0.0.2:7901: another secret",
      ],
      head: `${SERVER}\n${CLUSTER}
        const log = { warn: (text) => console.log(text), info: (text) => console.log(text) };
        const io = new Server(0, { cluster: cluster({ name: "guide-" + process.pid }) });`,
      tail: `
        io.cluster.emit("away", Object.assign(new Error("Redis is away"), { code: "DISCOVERY_AWAY" }));
        io.cluster.emit("back", "DISCOVERY_AWAY");
        io.cluster.emit("gap", { from: "abcd", missed: 3 });
        io.cluster.emit("refused", { address: "10.0.0.2:7901", error: new Error("another secret") });
        await io.close();`,
    },
  ],
  options: [
    {
      title: "reads options strictly",
      lines: [
        "10000",
        "INVALID_OPTION",
        `Invalid option "maxHttpBufferSize": expected a number of bytes, 0 or more, got '10MB'`,
        'TIDEWIRE_UNKNOWN_OPTION Unknown option "pingTimeOut": did you mean "pingTimeout"?',
      ],
    },
  ],
  "command-line": [
    {
      title: "is what its commands talk to",
      lines: [
        "emit 0 ",
        "emit 0 7 true",
        `listen 0 ${Array(10).fill('{"event":"EURUSD","args":[1.08]}').join(" ")}`,
        "load 0 errors        none",
        "hello",
      ],
      head: "let said;\nconst saying = new Promise((resolve) => (said = resolve));",
      changes: [
        ["setInterval(", "const timer = setInterval("],
        ["(text) => console.log(text)", "(text) => said(text)"],
      ],
      tail: commandsOf("command-line"),
    },
  ],
  support: [
    {
      title: "says what a report has to say",
      lines: ["Tidewire VERSION, HOST, Node.js NODE", "world", "server: server shutting down undefined"],
    },
  ],
  // The last one: it subscribes to a channel of the process, and stays there.
  observability: [
    {
      title: "exports metrics",
      lines: [
        'tidewire_connections{transport="polling"} 0',
        'tidewire_connections{transport="websocket"} 1',
        'tidewire_connections{transport="webtransport"} 0',
        "tidewire_deliveries_total 1",
      ],
    },
    {
      title: "says how long listeners take",
      lines: ["hello took number ms"],
      changes: [["performance.now() - startedAt", "typeof (performance.now() - startedAt)"]],
      tail: `${SERVER}
        const io = new Server(3000);
        io.on("connection", (socket) => socket.on("hello", (answer) => answer()));
        ${VISIT}
        const visitor = await visit();
        await visitor.emitWithAck("hello");
        visitor.close();
        await io.close();`,
    },
    {
      title: "carries the context of OpenTelemetry over an event",
      lines: ["tea is on its way", "true"],
    },
  ],
};
