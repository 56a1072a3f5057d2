// Options that are text, cannot mean anything, or do not exist.
import assert from "node:assert/strict";
import { once } from "node:events";
import { inspect } from "node:util";
import { Server } from "@tidewire/engine";
import { warningsOf } from "../support/process/warnings.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";

const UNKNOWN = "TIDEWIRE_UNKNOWN_OPTION";

function make(options: Record<string, unknown>): Server {
  return new Server(options);
}

describe("engine: options that are strings or invalid", () => {
  onEveryHost("given as strings", engineHosts, (host) => {
    host.it("accepts numeric strings as numbers", async () => {
      await using server = await host.start({
        pingInterval: "1234",
        pingTimeout: " 567 ",
        maxHttpBufferSize: "1e5",
      } as never);
      const { pingInterval, pingTimeout, maxPayload } = (await PollingPeer.open(server)).handshake;
      assert.deepEqual(
        { pingInterval, pingTimeout, maxPayload },
        { pingInterval: 1234, pingTimeout: 567, maxPayload: 100_000 },
      );
    });

    for (const when of ["given", "assigned later"] as const) {
      host.it(`keeps a client that answers pings, with times as strings that were ${when}`, async () => {
        const times = { pingInterval: "20", pingTimeout: "20000" } as never;
        await using server = await host.start(when === "given" ? times : {});
        if (when === "assigned later") Object.assign(server.engine.opts, times);
        const { socket, session } = await openWebSocket(server);
        for (let count = 0; count < 3; count++) {
          assert.equal(await socket.next(), "2");
          socket.sendText("3");
        }
        assert.equal(session.readyState, "open");
      });
    }

    host.it("accepts transports as a string", async () => {
      await using server = await host.start({ transports: "polling, websocket" } as never);
      const { handshake } = await PollingPeer.open(server);
      assert.deepEqual(handshake.upgrades, ["websocket"]);
      await openWebSocket(server);
    });
  });

  for (const [name, value, expected] of [
    ["pingTimeout", -1, "a number of ms from 0 to 2147483647"],
    ["pingInterval", Number.NaN, "a number of ms from 0 to 2147483647"],
    ["pingInterval", Infinity, "a number of ms from 0 to 2147483647"],
    ["pingInterval", "", "a number of ms from 0 to 2147483647"],
    ["upgradeTimeout", "10s", "a number of ms, 0 or more"],
    ["maxHttpBufferSize", "10MB", "a number of bytes, 0 or more"],
    ["maxBackpressure", true, "a number of bytes, 0 or more"],
    ["maxReceiveBacklog", {}, "a number of bytes, 0 or more"],
    ["transports", ["websockets"], 'a list of "polling", "websocket", "webtransport"'],
    ["transports", "ws", 'a list of "polling", "websocket", "webtransport"'],
    ["allowEIO3", "false", "true or false, not a string"],
    ["allowUpgrades", "false", "true or false, not a string"],
    ["perMessageDeflate", "false", "true or false, not a string"],
    ["allowRequest", "yes", "a function"],
    ["host", "bun", '"uws" or "node"'],
  ] as const) {
    it(`refuses ${name}: ${inspect(value)}`, () => {
      assert.throws(
        () => make({ [name]: value }),
        (error: Error & { code?: string; option?: string }) => {
          assert.equal(error.code, "INVALID_OPTION");
          assert.equal(error.option, name);
          assert.ok(
            error.message.startsWith(`Invalid option "${name}": expected ${expected}, got `),
            error.message,
          );
          assert.ok(typeof value === "number" ? error instanceof RangeError : error instanceof TypeError);
          return true;
        },
      );
    });
  }

  for (const [name, option] of [
    ["perMessageDeflate", { threshold: "1kb" }],
    ["perMessageDeflate", { serverMaxWindowBits: 16 }],
    ["httpCompression", { threshold: -1 }],
    ["cookie", { maxAge: "a day" }],
  ] as const) {
    it(`refuses ${name}: ${JSON.stringify(option)}`, () => {
      const path = `${name}.${Object.keys(option)[0]}`;
      assert.throws(() => make({ [name]: option }), { code: "INVALID_OPTION", option: path });
    });
  }

  for (const options of [
    { path: 5 },
    { destroyUpgradeTimeout: "soon" },
    { addTrailingSlash: "false" },
    { compression: "shared" },
    { idleTimeout: 5 },
  ]) {
    it(`refuses ${JSON.stringify(options)} when it is attached`, () => {
      const [option] = Object.keys(options);
      const engine = new Server({ host: "node" });
      assert.throws(() => engine.listen(0, options as never), { code: "INVALID_OPTION", option });
    });
  }

  it("treats null as absent", () => {
    const { pingInterval, transports, cookie } = make({
      pingInterval: null,
      transports: null,
      cookie: null,
    }).opts;
    assert.deepEqual([pingInterval, transports, cookie], [25_000, ["polling", "websocket"], false]);
  });

  it("accepts 0, Infinity and fractions where they are valid", () => {
    const options = {
      maxHttpBufferSize: Infinity,
      maxBackpressure: 0,
      pingInterval: 0.5,
      upgradeTimeout: 1e12,
    };
    const { maxHttpBufferSize, maxBackpressure, pingInterval, upgradeTimeout } = make(options).opts;
    assert.deepEqual({ maxHttpBufferSize, maxBackpressure, pingInterval, upgradeTimeout }, options);
  });

  describe("an option that does not exist", () => {
    it("causes one warning, with a suggestion", async () => {
      const warnings = await warningsOf(UNKNOWN, () => {
        make({ pingIntervall: 5 });
        make({ pingIntervall: 6 });
      });
      assert.deepEqual(warnings, ['Unknown option "pingIntervall": did you mean "pingInterval"?']);
    });

    it("causes a warning without a suggestion if none is close", async () => {
      const warnings = await warningsOf(UNKNOWN, () => make({ zzz: 5 }));
      assert.deepEqual(warnings, ['Unknown option "zzz": it has no effect']);
    });

    it("causes a warning inside other options", async () => {
      const warnings = await warningsOf(UNKNOWN, () =>
        make({
          perMessageDeflate: { treshold: 5 },
          httpCompression: { levle: 5 },
          cookie: { samesite: "lax" },
        }),
      );
      assert.deepEqual(warnings, [
        'Unknown option "perMessageDeflate.treshold": did you mean "perMessageDeflate.threshold"?',
        'Unknown option "httpCompression.levle": did you mean "httpCompression.level"?',
        'Unknown option "cookie.samesite": did you mean "cookie.sameSite"?',
      ]);
    });

    it("causes a warning when it is passed with the port", async () => {
      const engine = new Server({ host: "node" });
      const server = engine.listen(0);
      await once(server as never, "listening");
      server.close();
      const warnings = await warningsOf(UNKNOWN, () => {
        new Server({ host: "node" }).listen(0, { destroyUpgrad: true } as never).close();
      });
      assert.deepEqual(warnings, ['Unknown option "destroyUpgrad": did you mean "destroyUpgrade"?']);
    });

    it("is not an option of the official packages or of a Socket.IO server", async () => {
      const warnings = await warningsOf(UNKNOWN, () =>
        make({
          wsEngine: undefined,
          maxBufferedChunks: 1,
          httpRequestBodyTimeout: 1,
          cors: { origin: "*" },
          initialPacket: "x",
          path: "/x",
          addTrailingSlash: true,
          destroyUpgrade: true,
          destroyUpgradeTimeout: 1,
          compression: 0,
          idleTimeout: 0,
          secure: true,
          serveClient: false,
          adapter: undefined,
          parser: {},
          connectTimeout: 1,
          connectionStateRecovery: {},
          cleanupEmptyChildNamespaces: true,
          perMessageDeflate: {
            threshold: 1,
            concurrencyLimit: 1,
            zlibDeflateOptions: {},
            zlibInflateOptions: {},
          },
          httpCompression: { threshold: 1, level: 1, memLevel: 1, strategy: 0, windowBits: 15 },
          cookie: {
            name: "io",
            maxAge: 1,
            sameSite: "lax",
            secure: true,
            partitioned: true,
            priority: "low",
          },
        }),
      );
      assert.deepEqual(warnings, []);
    });
  });

  describe("ports", () => {
    for (const [port, received] of [
      [70_000, "type number (70000)"],
      [-1, "type number (-1)"],
      [3000.5, "type number (3000.5)"],
      [Number.NaN, "type number (NaN)"],
    ] as const) {
      for (const host of ["uws", "node"] as const) {
        it(`${port} is refused as node:http does (${host})`, () => {
          const engine = new Server({ host });
          assert.throws(() => engine.listen(port), {
            name: "RangeError",
            code: "ERR_SOCKET_BAD_PORT",
            message: `options.port should be >= 0 and < 65536. Received ${received}.`,
          });
        });
      }
    }

    /** As nobody, who has no right to the ports below 1024. */
    async function codeOf(host: "uws" | "node", port: number): Promise<string | undefined> {
      process.seteuid!(65_534);
      try {
        const server = new Server({ host }).listen(port) as unknown as NodeJS.EventEmitter & {
          close(): void;
        };
        const outcome = await Promise.race([
          once(server, "error").then(([error]) => (error as NodeJS.ErrnoException).code),
          once(server, "listening").then(() => undefined),
        ]);
        if (outcome === undefined) server.close();
        return outcome;
      } finally {
        process.seteuid!(0);
      }
    }

    it("a privileged port and a taken one have different errors (as root, where low ports are privileged)", async function () {
      if (process.geteuid?.() !== 0) this.skip();
      // Where the system lets everybody have it, there is nothing to refuse.
      if ((await codeOf("node", 79)) !== "EACCES") this.skip();
      assert.equal(await codeOf("uws", 79), "EACCES");
    });
  });
});
