// Options of the server that are text, cannot mean anything, or do not exist; and ports.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Server } from "@tidewire/server";
import { warningsOf } from "../support/process/warnings.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";
import { pair } from "../support/server/clients.ts";
import { rawSession } from "../support/server/wires.ts";

const UNKNOWN = "TIDEWIRE_UNKNOWN_OPTION";

function make(options: Record<string, unknown>): Server {
  return new Server(options);
}

onEveryHost("numeric strings", serverHosts, (host) => {
  it("are accepted as times: clients are neither timed out nor closed before they join", async () => {
    await using running = await host.start({
      pingInterval: "20",
      pingTimeout: "20000",
      connectTimeout: "20000",
    } as never);
    const { client, socket } = await pair(running);
    for (let count = 0; count < 3; count++) await next(client.io.engine, "heartbeat");
    assert.equal(socket.connected, true);
  });

  it("close a connection that joins no namespace after connectTimeout", async () => {
    await using running = await host.start({ connectTimeout: "20" } as never);
    const wire = await rawSession(running);
    await wire.closed;
  });
});

describe("options of a server", () => {
  for (const [options, option] of [
    [{ pingInterval: -1 }, "pingInterval"],
    [{ maxHttpBufferSize: "10MB" }, "maxHttpBufferSize"],
    [{ transports: ["websockets"] }, "transports"],
    [{ connectTimeout: "soon" }, "connectTimeout"],
    [{ connectTimeout: Number.NaN }, "connectTimeout"],
    [{ serveClient: "false" }, "serveClient"],
    [{ path: 5 }, "path"],
    [
      { connectionStateRecovery: { maxDisconnectionDuration: "2 min" } },
      "connectionStateRecovery.maxDisconnectionDuration",
    ],
    [{ connectionStateRecovery: { maxLogBytes: -1 } }, "connectionStateRecovery.maxLogBytes"],
  ] as const) {
    it(`are refused if invalid, before the port is opened: ${JSON.stringify(options)}`, () => {
      assert.throws(() => make(options), { code: "INVALID_OPTION", option });
    });
  }

  it("are refused by io.connectTimeout(), too", () => {
    assert.throws(() => new Server().connectTimeout(-1), {
      code: "INVALID_OPTION",
      option: "connectTimeout",
    });
  });

  it("of connection state recovery may be numeric strings", () => {
    const { opts } = make({ connectionStateRecovery: { maxDisconnectionDuration: "5000" } });
    assert.deepEqual(opts.connectionStateRecovery, {
      maxDisconnectionDuration: 5000,
      skipMiddlewares: true,
    });
  });

  it("that do not exist cause one warning, with a suggestion", async () => {
    const options = { conectTimeout: 5, connectionStateRecovery: { maxDisconectionDuration: 5 } };
    const warnings = await warningsOf(UNKNOWN, () => {
      make(options).attach(createServer());
      make({ ...options }).attach(createServer(), { serveCleint: false } as never);
    });
    assert.deepEqual(warnings, [
      'Unknown option "conectTimeout": did you mean "connectTimeout"?',
      'Unknown option "connectionStateRecovery.maxDisconectionDuration": did you mean "connectionStateRecovery.maxDisconnectionDuration"?',
      'Unknown option "serveCleint": did you mean "serveClient"?',
    ]);
  });

  it("that exist on either layer cause none", async () => {
    const warnings = await warningsOf(UNKNOWN, () =>
      make({
        serveClient: false,
        adapter: undefined,
        parser: undefined,
        connectTimeout: 5,
        cleanupEmptyChildNamespaces: true,
        connectionStateRecovery: { maxDisconnectionDuration: 5, skipMiddlewares: false, maxLogBytes: 5 },
        host: "node",
        maxBackpressure: 5,
        maxReceiveBacklog: 5,
        cors: { origin: "*" },
        destroyUpgrade: false,
        destroyUpgradeTimeout: 5,
        addTrailingSlash: false,
        allowEIO3: true,
      }).attach(createServer()),
    );
    assert.deepEqual(warnings, []);
  });
});

describe("ports", () => {
  for (const port of [70_000, -1, 3000.5, "70000", Number.NaN]) {
    it(`${port} is refused as node:http does`, () => {
      assert.throws(() => new socketio.Server(port as never), {
        name: "RangeError",
        code: "ERR_SOCKET_BAD_PORT",
      });
    });
  }
});
