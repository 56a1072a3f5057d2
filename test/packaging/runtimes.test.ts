// Tests the packed server on other runtimes than Node.js, with the official client on Node.js.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openClient } from "../support/server/started-server.ts";
import type { ClientSocket } from "../support/server/socketio.ts";
import { within } from "../support/waiting/queue.ts";
import { pack } from "./packed.ts";
import { runtime, versionOf } from "./runtimes.ts";
import type { RuntimeName } from "./runtimes.ts";

/** Prints its port, and the reason of each disconnect; exits when stdin ends. */
const program = `
const { createServer } = require("node:http");
const { Server } = require("@tidewire/server");
const httpServer = createServer();
const io = new Server(httpServer);
io.engine.use((request, response, next) => {
  response.setHeader("x-url", request.url);
  next();
});
io.on("connection", (socket) => {
  socket.on("say", (text, data, done) => {
    io.emit("said", text, data);
    done(text.length, data);
  });
  socket.on("leave", () => socket.disconnect(true));
  socket.on("disconnect", (reason) => console.log(JSON.stringify({ reason })));
});
httpServer.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: httpServer.address().port })));
process.stdin.on("end", () => io.close()).resume();
`;

const commands: Readonly<Record<RuntimeName, readonly string[]>> = {
  bun: [],
  deno: ["run", "--allow-all"],
};

/** How long a process may take to start, or to reply; enough for a busy machine. */
const PATIENCE = 60_000;

/** The program on a runtime. */
class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    child.stderr!.on("data", (chunk: Buffer) => (this.#errors += chunk.toString()));
  }

  /** Its next line. */
  async told<T>(): Promise<T> {
    const { value, done } = await within(this.#lines.next(), "a line of the program", PATIENCE);
    if (done) throw new Error(`the program has ended: ${this.#errors}`);
    return JSON.parse(value) as T;
  }

  /** Stops it; resolves with its exit code and stderr. */
  async end(): Promise<{ code: number | null; errors: string }> {
    const child = this.#child;
    child.stdin!.end();
    if (child.exitCode === null && child.signalCode === null)
      await within(once(child, "exit"), "the program's end", PATIENCE);
    return { code: child.exitCode, errors: this.#errors };
  }
}

interface Started extends AsyncDisposable {
  readonly program: Program;
  /** An official client. */
  client(transports: readonly Transport[]): ClientSocket;
}

async function start(name: RuntimeName): Promise<Started> {
  const { folder } = await pack();
  const file = join(folder, `on-${name}.cjs`);
  writeFileSync(file, program);
  const child = spawn(await runtime(name), [...commands[name], file], { cwd: folder });
  const running = new Program(child);
  const { port } = await running.told<{ port: number }>();
  const clients: ClientSocket[] = [];
  return {
    program: running,
    client: (transports) => {
      const client = openClient(`http://127.0.0.1:${port}`, { transports: [...transports] });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      child.kill("SIGKILL");
    },
  };
}

type Transport = "polling" | "websocket";

const ways = {
  polling: ["polling"],
  websocket: ["websocket"],
  "polling, then websocket": ["polling", "websocket"],
} as const;

/** A client that is connected, and whose upgrade is done if it has one. */
async function connected(started: Started, transports: readonly Transport[]): Promise<ClientSocket> {
  const client = started.client(transports);
  const upgraded = new Promise((resolve) =>
    client.io.once("open", () => client.io.engine.once("upgrade", resolve)),
  );
  await within(
    new Promise<void>((resolve, reject) => client.once("connect", resolve).once("connect_error", reject)),
    "the connection",
    PATIENCE,
  );
  if (transports.length > 1) await within(upgraded, "the upgrade", PATIENCE);
  assert.equal(client.io.engine.transport.name, transports.at(-1));
  return client;
}

for (const name of Object.keys(commands) as RuntimeName[]) {
  describe(`the packed server on ${name} ${versionOf(name)}`, function () {
    // builds, packs and installs what is missing
    before(async function () {
      this.timeout(240_000);
      await Promise.all([pack(), runtime(name)]);
    });

    for (const [way, transports] of Object.entries(ways)) {
      describe(way, function () {
        this.timeout(PATIENCE);

        it("receives, acknowledges and forwards events with binary data", async () => {
          await using started = await start(name);
          const client = await connected(started, transports);
          const said = new Promise((resolve) => client.once("said", (...args: unknown[]) => resolve(args)));
          const ack = new Promise((resolve) =>
            client.emit("say", "grüß dich", Buffer.from([0, 1, 255]), (...args: unknown[]) => resolve(args)),
          );
          assert.deepEqual(await within(ack, "the ack", PATIENCE), [9, Buffer.from([0, 1, 255])]);
          assert.deepEqual(await within(said, "the event", PATIENCE), [
            "grüß dich",
            Buffer.from([0, 1, 255]),
          ]);
        });

        it("receives and sends messages larger than a TCP chunk", async () => {
          await using started = await start(name);
          const client = await connected(started, transports);
          const text = "x".repeat(300_000);
          const data = Buffer.alloc(400_000, 7);
          const said = new Promise((resolve) => client.once("said", (...args: unknown[]) => resolve(args)));
          client.emit("say", text, data, () => {});
          assert.deepEqual(await within(said, "the event", PATIENCE), [text, data]);
        });

        it("gets the client's disconnect", async () => {
          await using started = await start(name);
          const { program: server } = started;
          const client = await connected(started, transports);
          client.disconnect();
          assert.deepEqual(await server.told(), { reason: "client namespace disconnect" });
        });

        it("disconnects the client", async () => {
          await using started = await start(name);
          const { program: server } = started;
          const client = await connected(started, transports);
          const reason = new Promise((resolve) => client.once("disconnect", resolve));
          client.emit("leave");
          assert.equal(await within(reason, "the disconnect", PATIENCE), "io server disconnect");
          assert.deepEqual(await server.told(), { reason: "server namespace disconnect" });
        });

        it("closes in order with a client connected", async () => {
          await using started = await start(name);
          const { program: server } = started;
          const client = await connected(started, transports);
          const reason = new Promise((resolve) => client.once("disconnect", resolve));
          assert.deepEqual(await server.end(), { code: 0, errors: "" });
          // the next poll of a client finds no server
          assert.match(
            String(await within(reason, "the disconnect", PATIENCE)),
            /^transport (?:close|error)$/,
          );
        });
      });
    }
  });
}
