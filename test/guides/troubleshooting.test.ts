// Provokes what docs/troubleshooting.md explains: what an official client and the server say.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { Server } from "@tidewire/server";
import type { ServerOptions } from "@tidewire/server";
import { io as connect } from "socket.io-client";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { openOldClient } from "../support/server/old-clients.ts";
import { faultyProxy } from "../support/proxies/faulty.ts";
import type { Faults, FaultyProxy } from "../support/proxies/faulty.ts";
import { roundRobinProxy } from "../support/proxies/round-robin.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { within } from "../support/waiting/queue.ts";

type HostName = "uws" | "node";
type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** What was said, in the words of the page. */
interface Said {
  readonly client: string;
  readonly server: string;
}

/** Servers, proxies and clients of one symptom, and what they say. */
class Scene implements AsyncDisposable {
  readonly #host: HostName;
  readonly #client: string[] = [];
  readonly #server: string[] = [];
  readonly #ends: (() => unknown)[] = [];
  #changed: () => void = () => {};

  constructor(host: HostName) {
    this.#host = host;
  }

  async server(options: Partial<ServerOptions> = {}): Promise<Server> {
    const io = new Server(0, { host: this.#host, ...options });
    if (!io.httpServer.listening) await once(io.httpServer, "listening");
    this.#ends.push(() => io.close());
    io.engine.on("connection_error", ({ code, message, context }: Refusal) => {
      const { name, reason } = context ?? {};
      const words = [name ?? (code === 1 ? message : undefined), reason];
      this.#says(this.#server, ["connection_error", code, ...words]);
    });
    io.on("connection", (socket) => {
      socket.on("disconnect", (reason, error: Cause | undefined) => {
        this.#says(this.#server, [reason, error?.code, error?.wsCode]);
      });
    });
    return io;
  }

  async proxy(io: Server, faults: Faults = {}): Promise<FaultyProxy> {
    const proxy = await faultyProxy(portOf(io), faults);
    this.#ends.push(() => proxy[Symbol.asyncDispose]());
    return proxy;
  }

  /** Connects an official client. */
  client(port: number, options: ClientOptions = {}, namespace = "/"): Socket {
    const client = connect(`http://127.0.0.1:${port}${namespace}`, {
      forceNew: true,
      reconnection: false,
      ...options,
    });
    this.#ends.push(() => client.close());
    client.on("connect_error", (error) => this.#says(this.#client, wordsOf(error as Failure)));
    client.on("disconnect", (reason) => this.#says(this.#client, [reason]));
    client.io.engine.on("upgradeError", (error) => {
      const { message } = error;
      // Somebody else has ended the connection meanwhile.
      if (!message.endsWith("socket closed")) this.#says(this.#client, [`upgradeError: ${message}`]);
    });
    return client;
  }

  end(last: () => unknown): void {
    this.#ends.push(last);
  }

  clientSays(words: readonly unknown[]): void {
    this.#says(this.#client, words);
  }

  #says(lines: string[], words: readonly unknown[]): void {
    lines.push(words.filter((word) => word !== undefined && word !== "").join(" "));
    this.#changed();
  }

  /** The first that each has said, once they have; a side that is to say nothing is not waited for. */
  async said({ client, server }: { client: boolean; server: boolean }): Promise<Said> {
    const isOver = (): boolean =>
      (!client || this.#client.length > 0) && (!server || this.#server.length > 0);
    const over = new Promise<void>((resolve) => {
      this.#changed = () => {
        if (isOver()) resolve();
      };
      this.#changed();
    });
    await within(over, "both sides").catch(() => {});
    return { client: this.#client[0] ?? "", server: this.#server[0] ?? "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}

interface Refusal {
  code: number;
  message: string;
  context?: { name?: string; reason?: string };
}

interface Cause extends Error {
  code?: string;
  wsCode?: number;
}

/** The error of `connect_error`. */
interface Failure extends Error {
  description?: unknown;
  context?: { responseText?: string };
}

function wordsOf({ message, description, context }: Failure): unknown[] {
  if (typeof description !== "number") return [message];
  const text = context?.responseText ?? "";
  const answer = text.startsWith("{") ? (JSON.parse(text) as { message: string }).message : undefined;
  return [message, description, answer];
}

function portOf(io: Server): number {
  return (io.httpServer.address() as AddressInfo).port;
}

const connected = (client: Socket): Promise<void> =>
  within(new Promise<void>((resolve) => client.once("connect", resolve)), "connect");

/** Resolves when the server could answer a poll of its only client. */
async function pollPending(io: Server): Promise<void> {
  const [socket] = io.sockets.sockets.values();
  while (!socket!.conn.transport.writable) await new Promise(setImmediate);
}

const websocket: ClientOptions = { transports: ["websocket"] };
const polling: ClientOptions = { transports: ["polling"] };
const refused: Partial<ServerOptions> = { allowRequest: (_request, decide) => decide(null, false) };
/** Nothing is sent for a minute. */
const silent: Partial<ServerOptions> = { pingInterval: 60_000 };
/** A ping is not answered soon. */
const impatient: Partial<ServerOptions> = { pingInterval: 500, pingTimeout: 1500 };

interface Symptom {
  /** The first two cells of the row. */
  readonly row: readonly [client: string, server: string];
  /** What is said; undefined: nothing. */
  readonly client?: string | RegExp;
  readonly server?: string | RegExp;
  provoke(scene: Scene): Promise<unknown>;
}

const symptoms: readonly Symptom[] = [
  // It does not connect
  {
    row: ["`xhr poll error`, no status", "nothing"],
    client: "xhr poll error 0",
    // A port that no other scene gets.
    async provoke(scene) {
      scene.client(1);
    },
  },
  {
    row: ["`xhr poll error`, 404", "nothing"],
    client: "xhr poll error 404",
    provoke: async (scene) => scene.client(portOf(await scene.server()), { path: "/other" }),
  },
  {
    row: ["`xhr poll error`, 400 `Unsupported protocol version`", "`connection_error` 5"],
    client: "xhr poll error 400 Unsupported protocol version",
    server: "connection_error 5",
    async provoke(scene) {
      const port = portOf(await scene.server());
      const client = openOldClient(`http://127.0.0.1:${port}`);
      scene.end(() => client.close());
      const error = await new Promise<Failure>((resolve) => client.once("connect_error", resolve));
      const answer = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=3&transport=polling`);
      const { message } = (await answer.json()) as { message: string };
      scene.clientSays([error.message, error.description, message]);
    },
  },
  {
    row: ["`xhr poll error`, 400 `Transport unknown`", "`connection_error` 0"],
    client: "xhr poll error 400 Transport unknown",
    server: "connection_error 0",
    provoke: async (scene) => scene.client(portOf(await scene.server({ transports: ["websocket"] }))),
  },
  {
    row: ["`xhr poll error`, 403 `Forbidden`", "`connection_error` 4"],
    client: "xhr poll error 403 Forbidden",
    server: "connection_error 4",
    provoke: async (scene) => scene.client(portOf(await scene.server(refused))),
  },
  {
    row: ["`xhr poll error`, 429 `Too many handshakes`", "`connection_error` 4 `TOO_MANY_HANDSHAKES`"],
    client: "xhr poll error 429 Too many handshakes",
    server: "connection_error 4 TOO_MANY_HANDSHAKES",
    async provoke(scene) {
      const io = await scene.server({ limits: { handshakesPerSecond: { rate: 0.01, burst: 1 } } });
      await connected(scene.client(portOf(io)));
      scene.client(portOf(io));
    },
  },
  {
    row: ["`xhr poll error`, 400 `Bad request`", "`connection_error` 3 `MIDDLEWARE_FAILURE`"],
    client: "xhr poll error 400 Bad request",
    server: "connection_error 3 MIDDLEWARE_FAILURE",
    async provoke(scene) {
      const io = await scene.server();
      io.engine.use((_request: unknown, _response: unknown, next: (error: Error) => void) =>
        next(new Error("not today")),
      );
      scene.client(portOf(io));
    },
  },
  {
    row: ["`xhr poll error`, 503", "nothing"],
    client: "xhr poll error 503",
    async provoke(scene) {
      const io = await scene.server();
      await io.drain();
      scene.client(portOf(io));
    },
  },
  {
    row: ["`websocket error`", "`connection_error`, as above"],
    client: "websocket error",
    server: "connection_error 4",
    provoke: async (scene) => scene.client(portOf(await scene.server(refused)), websocket),
  },
  {
    row: ["`Invalid namespace`", "nothing"],
    client: "Invalid namespace",
    provoke: async (scene) => scene.client(portOf(await scene.server()), {}, "/name"),
  },
  {
    row: ["`who are you?` or another text of your own", "nothing"],
    client: "who are you?",
    async provoke(scene) {
      const io = await scene.server();
      io.use((_socket, next) => next(new Error("who are you?")));
      scene.client(portOf(io));
    },
  },
  // It stays on polling
  {
    row: ["`upgradeError`", "`connection_error` 3 `TRANSPORT_MISMATCH` or `TRANSPORT_HANDSHAKE_ERROR`"],
    client: "upgradeError: probe error: Error: websocket error",
    server: /^connection_error 3 TRANSPORT_(MISMATCH|HANDSHAKE_ERROR)$/,
    async provoke(scene) {
      scene.client((await scene.proxy(await scene.server(), { removesUpgrade: true })).port);
    },
  },
  {
    row: ["`upgradeError`", "nothing"],
    client: "upgradeError: probe error: Error: websocket error",
    async provoke(scene) {
      scene.client((await scene.proxy(await scene.server(), { refusesUpgrade: true })).port);
    },
  },
  {
    row: ["`upgradeError`", "`connection_error` 1 `Session ID unknown`"],
    client: "upgradeError: probe error: Error: websocket error",
    server: "connection_error 1 Session ID unknown",
    async provoke(scene) {
      const [io, other] = [await scene.server(), await scene.server()];
      scene.client((await scene.proxy(io, { upgradesAt: portOf(other) })).port);
    },
  },
  {
    row: ["no error; the handshake offers no `upgrades`", "nothing"],
    async provoke(scene) {
      const io = await scene.server({ allowUpgrades: false });
      const handshake = await fetch(`http://127.0.0.1:${portOf(io)}/socket.io/?EIO=4&transport=polling`);
      assert.match(await handshake.text(), /"upgrades":\[\]/);
      const client = scene.client(portOf(io));
      await connected(client);
      assert.equal(client.io.engine.transport.name, "polling");
    },
  },
  {
    row: ["no error", "`connection_error` 3 `UPGRADE_FAILURE`, `upgrade timeout`"],
    server: "connection_error 3 UPGRADE_FAILURE upgrade timeout",
    async provoke(scene) {
      const io = await scene.server({ upgradeTimeout: 100 });
      scene.client((await scene.proxy(io, { holdsFrames: true })).port);
    },
  },
  // It disconnects after 30 s
  {
    row: ["`transport close`", "`transport close` `WEBSOCKET_CLOSED`, `wsCode` 1006"],
    client: "transport close",
    server: "transport close WEBSOCKET_CLOSED 1006",
    async provoke(scene) {
      const proxy = await scene.proxy(await scene.server(silent));
      await connected(scene.client(proxy.port, websocket));
      proxy.closeIdle();
    },
  },
  {
    row: ["`transport error`", "`transport error` `POLL_ABORTED`"],
    client: "transport error",
    server: "transport error POLL_ABORTED",
    async provoke(scene) {
      const io = await scene.server(silent);
      const proxy = await scene.proxy(io);
      await connected(scene.client(proxy.port, polling));
      await pollPending(io);
      proxy.closeIdle();
    },
  },
  {
    row: ["`transport close` or `ping timeout`", "`ping timeout` `PING_TIMEOUT`"],
    client: /^(transport close|ping timeout)$/,
    server: "ping timeout PING_TIMEOUT",
    async provoke(scene) {
      const proxy = await scene.proxy(await scene.server(impatient));
      await connected(scene.client(proxy.port, websocket));
      proxy.hold("from client");
    },
  },
  {
    row: ["`ping timeout`", "`ping timeout` `PING_TIMEOUT`, once it is not blocked any more"],
    client: "ping timeout",
    server: "ping timeout PING_TIMEOUT",
    async provoke(scene) {
      const proxy = await scene.proxy(await scene.server(impatient));
      await connected(scene.client(proxy.port, websocket));
      proxy.hold("both");
    },
  },
  {
    row: ["`transport close`", "`transport error` `PAYLOAD_TOO_LARGE`"],
    client: "transport close",
    server: "transport error PAYLOAD_TOO_LARGE",
    async provoke(scene) {
      const client = scene.client(portOf(await scene.server({ maxHttpBufferSize: 1000 })), websocket);
      client.emit("large", "a".repeat(1500));
    },
  },
  {
    row: ["`transport close`", "`transport error` `SLOW_CONSUMER`"],
    client: "transport close",
    server: "transport error SLOW_CONSUMER",
    async provoke(scene) {
      const io = await scene.server({ maxBackpressure: 100_000 });
      const proxy = await scene.proxy(io);
      await connected(scene.client(proxy.port, websocket));
      proxy.hold("from server");
      const flood = setInterval(() => io.emit("data", Buffer.alloc(1_000_000)), 2);
      const [socket] = await io.fetchSockets();
      await once(io.sockets.sockets.get(socket!.id)!, "disconnect");
      clearInterval(flood);
      proxy.release();
    },
  },
  {
    row: ["`transport close`", "`forced close` with a code"],
    client: "transport close",
    server: "forced close BAD_SOCKET_PACKET",
    async provoke(scene) {
      const client = scene.client(portOf(await scene.server()), websocket);
      await connected(client);
      client.io.engine.send("9");
    },
  },
  {
    row: ["`io server disconnect`", "`server namespace disconnect`"],
    client: "io server disconnect",
    server: "server namespace disconnect",
    async provoke(scene) {
      const io = await scene.server();
      io.on("connection", (socket) => socket.disconnect());
      scene.client(portOf(io));
    },
  },
  // Session ID unknown
  {
    row: [
      "`xhr poll error` or `xhr post error`, 400 `Session ID unknown`, again and again",
      "`connection_error` 1, with the `sid`",
    ],
    client: /^xhr po(ll|st) error 400 Session ID unknown$/,
    server: "connection_error 1 Session ID unknown",
    async provoke(scene) {
      const servers = [await scene.server(), await scene.server()];
      const proxy = await roundRobinProxy(servers.map(portOf));
      scene.end(() => proxy[Symbol.asyncDispose]());
      scene.client(proxy.port, polling);
    },
  },
  {
    row: ["`transport error`, once, then it is connected", "`connection_error` 1"],
    client: "transport error",
    server: "connection_error 1 Session ID unknown",
    async provoke(scene) {
      const [io, next] = [await scene.server(), await scene.server()];
      const proxy = await scene.proxy(io);
      const client = scene.client(proxy.port, { ...polling, reconnection: true, reconnectionDelay: 10 });
      await connected(client);
      proxy.target = portOf(next);
      client.emit("anything");
      await connected(client);
    },
  },
];

const page = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");

/** The first two cells of the rows about a client and a server. */
function rows(): string[] {
  const tables = page.matchAll(/^\| the client \| the server \|.*\n\|.*\n((?:\|.*\n)+)/gm);
  return [...tables].flatMap(([, body]) =>
    body!
      .trimEnd()
      .split("\n")
      .map((row) => row.split(" | ").slice(0, 2).join(" | ").replace(/^\| /, "")),
  );
}

describe("docs/troubleshooting.md", () => {
  it("has a test for each row", () => {
    assert.deepEqual(
      rows(),
      symptoms.map(({ row }) => row.join(" | ")),
    );
  });

  const hosts: readonly HostName[] = whyNoUws === undefined ? ["uws", "node"] : ["node"];
  for (const host of hosts) {
    describe(`says what is said [${host}]`, () => {
      let saying: readonly Promise<Said>[];

      // Most of the time passes while somebody waits.
      before(() => {
        saying = symptoms.map(async (symptom) => {
          await using scene = new Scene(host);
          await symptom.provoke(scene);
          return await scene.said({
            client: symptom.client !== undefined,
            server: symptom.server !== undefined,
          });
        });
        for (const promise of saying) promise.catch(() => {});
      });

      for (const [index, { row, client = "", server = "" }] of symptoms.entries()) {
        it(row.join(" | "), async () => {
          const said = await saying[index]!;
          const wanted = (text: string, expected: string | RegExp): string | RegExp =>
            expected instanceof RegExp && expected.test(text) ? text : expected;
          assert.deepEqual(said, {
            client: wanted(said.client, client),
            server: wanted(said.server, server),
          });
        });
      }

      describe("CORS: Access-Control-Allow-Origin is", () => {
        const origin = "https://app.example.com";
        const allowed = async (cors?: ServerOptions["cors"]): Promise<[string | null, string | null]> => {
          await using scene = new Scene(host);
          const io = await scene.server(cors === undefined ? {} : { cors });
          const url = `http://127.0.0.1:${portOf(io)}/socket.io/?EIO=4&transport=polling`;
          const { headers } = await fetch(url, { headers: { origin } });
          return [
            headers.get("access-control-allow-origin"),
            headers.get("access-control-allow-credentials"),
          ];
        };

        it("missing", async () => assert.deepEqual(await allowed(), [null, null]));
        it("another origin", async () =>
          assert.deepEqual(await allowed({ origin: "https://other.example" }), [
            "https://other.example",
            null,
          ]));
        it("*", async () => assert.deepEqual(await allowed({ origin: "*" }), ["*", null]));
        it("what it should be", async () =>
          assert.deepEqual(await allowed({ origin, credentials: true }), [origin, "true"]));
      });
    });
  }
});
