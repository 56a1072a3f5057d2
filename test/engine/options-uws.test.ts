import assert from "node:assert/strict";
import { once } from "node:events";
import * as uWS from "uWebSockets.js";
import { WebSocket } from "ws";
import { Server, uServer } from "@tidewire/engine";
import type { AttachAppOptions, ServerOptions } from "@tidewire/engine";

import { engineHosts } from "../support/engine/hosts.ts";

import { openWebSocket, rawWebSocket } from "../support/engine/peers.ts";
import { serveApp } from "../support/engine/serve.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { needUws } from "../support/uws/absent.ts";

const RSV1 = 4;

/** Values that the module has and its types leave out. */
const constants = uWS as unknown as Record<
  | "DISABLED"
  | "SHARED_COMPRESSOR"
  | "SHARED_DECOMPRESSOR"
  | "DEDICATED_COMPRESSOR"
  | "DEDICATED_COMPRESSOR_3KB"
  | "DEDICATED_COMPRESSOR_4KB"
  | "DEDICATED_COMPRESSOR_32KB"
  | "DEDICATED_DECOMPRESSOR"
  | "DEDICATED_DECOMPRESSOR_1KB",
  number
>;

function onApp(options: AttachAppOptions, serverOptions: ServerOptions = {}): StartedEngine {
  const app = uWS.App();
  const engine = new uServer(serverOptions);
  engine.attach(app, options);
  return serveApp(engine, app);
}

async function compressedFrame(server: StartedEngine, bytes: number): Promise<boolean> {
  const headers = { "sec-websocket-extensions": "permessage-deflate" };
  const socket = await rawWebSocket(server, server.path("transport=websocket"), { headers });
  await socket.next();
  (await server.nextSession()).send("x".repeat(bytes - 1));
  await socket.next();
  return socket.frames.at(-1)?.rsv === RSV1;
}

/** Records what the engine asks of an app. */
class SpyApp {
  readonly behaviours: Record<string, unknown>[] = [];
  readonly patterns: string[] = [];

  any(): this {
    return this;
  }

  ws(pattern: string, behaviour: object): this {
    this.patterns.push(pattern);
    this.behaviours.push(behaviour as Record<string, unknown>);
    return this;
  }

  close(): this {
    return this;
  }
}

function asked(options: AttachAppOptions, serverOptions: ServerOptions = {}): Record<string, unknown> {
  const app = new SpyApp();
  new Server(serverOptions).attachApp(app, options);
  return app.behaviours[0]!;
}

function describeOnUws(): void {
  describe("compression", () => {
    it("compresses from 1024 bytes on when it is given alone", async () => {
      await using server = onApp({ compression: constants.SHARED_COMPRESSOR });
      assert.equal(await compressedFrame(server, 1_023), false);
      assert.equal(await compressedFrame(server, 1_024), true);
    });

    it("compresses from the threshold of perMessageDeflate on", async () => {
      const options = { compression: constants.DEDICATED_COMPRESSOR_4KB };
      await using server = onApp(options, { perMessageDeflate: { threshold: 100 } });
      assert.equal(await compressedFrame(server, 99), false);
      assert.equal(await compressedFrame(server, 100), true);
    });

    it("is off with DISABLED, whatever perMessageDeflate is", async () => {
      await using server = onApp({ compression: constants.DISABLED }, { perMessageDeflate: true });
      assert.equal(await compressedFrame(server, 10_000), false);
    });

    it("defaults to what perMessageDeflate asks for", () => {
      needUws();
      const { SHARED_COMPRESSOR, SHARED_DECOMPRESSOR, DEDICATED_COMPRESSOR, DEDICATED_DECOMPRESSOR } =
        constants;
      const cases: [ServerOptions["perMessageDeflate"], number][] = [
        [false, constants.DISABLED],
        [true, SHARED_COMPRESSOR | SHARED_DECOMPRESSOR],
        [{ threshold: 10 }, SHARED_COMPRESSOR | SHARED_DECOMPRESSOR],
        [{ serverNoContextTakeover: true }, SHARED_COMPRESSOR | SHARED_DECOMPRESSOR],
        [{ serverNoContextTakeover: false }, DEDICATED_COMPRESSOR | SHARED_DECOMPRESSOR],
        [
          { serverNoContextTakeover: false, serverMaxWindowBits: 9 },
          constants.DEDICATED_COMPRESSOR_3KB | SHARED_DECOMPRESSOR,
        ],
        [
          { serverNoContextTakeover: false, serverMaxWindowBits: 12 },
          constants.DEDICATED_COMPRESSOR_32KB | SHARED_DECOMPRESSOR,
        ],
        [{ clientNoContextTakeover: false }, SHARED_COMPRESSOR | DEDICATED_DECOMPRESSOR],
        [
          { clientNoContextTakeover: false, clientMaxWindowBits: 10 },
          SHARED_COMPRESSOR | constants.DEDICATED_DECOMPRESSOR_1KB,
        ],
      ];
      for (const [perMessageDeflate, constant] of cases) {
        const options = perMessageDeflate === undefined ? {} : { perMessageDeflate };
        assert.equal(asked({}, options)["compression"], constant, JSON.stringify(perMessageDeflate));
      }
    });
  });

  describe("idleTimeout", () => {
    it("is off by default: the heartbeat of the protocol is enough", () => {
      const { idleTimeout, sendPingsAutomatically } = asked({});
      assert.deepEqual(
        { idleTimeout, sendPingsAutomatically },
        { idleTimeout: 0, sendPingsAutomatically: false },
      );
    });

    it("is passed to uWebSockets.js, which then pings", () => {
      const { idleTimeout, sendPingsAutomatically } = asked({ idleTimeout: 120 });
      assert.deepEqual(
        { idleTimeout, sendPingsAutomatically },
        { idleTimeout: 120, sendPingsAutomatically: true },
      );
    });

    for (const idleTimeout of [1, 7, 961, -1, Number.NaN]) {
      it(`is refused with ${idleTimeout}, which would end the process`, () => {
        assert.throws(() => asked({ idleTimeout }), { name: "RangeError", code: "INVALID_OPTION" });
      });
    }

    it("sends WebSocket pings, and keeps a client that answers them", async () => {
      await using server = onApp({ idleTimeout: 8 });
      const address = `ws://127.0.0.1:${server.port}${server.path("transport=websocket")}`;
      const socket = new WebSocket(address);
      await once(socket, "ping");
      assert.equal((await server.nextSession()).readyState, "open");
      socket.terminate();
    }).timeout(15_000);
  });

  describe("maxBackpressure", () => {
    it("is the option of the engine", () => {
      const engine = new Server();
      engine.attachApp(new SpyApp(), { maxBackpressure: 1_000 });
      assert.equal(engine.opts.maxBackpressure, 1_000);
    });

    it("leaves the engine's option alone when it is absent", () => {
      const engine = new Server({ maxBackpressure: 2_000 });
      engine.attachApp(new SpyApp());
      assert.equal(engine.opts.maxBackpressure, 2_000);
    });

    it("never lets uWebSockets.js skip a message", () => {
      const { maxBackpressure, closeOnBackpressureLimit } = asked({ maxBackpressure: 1_000 });
      assert.deepEqual(
        { maxBackpressure, closeOnBackpressureLimit },
        { maxBackpressure: 0, closeOnBackpressureLimit: false },
      );
    });

    it("ends a client that does not read", async () => {
      await using server = onApp({ maxBackpressure: 100_000 });
      const socket = await rawWebSocket(server, server.path("transport=websocket"));
      await socket.next();
      const session = await server.nextSession();
      socket.pause();
      const closed = server.closed(session);
      const flood = setInterval(() => session.send(Buffer.alloc(1_000_000)), 1);
      const { reason, description } = await closed;
      clearInterval(flood);
      assert.equal(reason, "transport error");
      const { code, bufferedBytes, limit } = description as Record<string, unknown>;
      assert.deepEqual({ code, limit }, { code: "SLOW_CONSUMER", limit: 100_000 });
      assert.ok((bufferedBytes as number) > 100_000);
    });
  });

  describe("uServer", () => {
    it("serves the application's app, with attach()", async () => {
      await using server = onApp({});
      const { socket, session } = await openWebSocket(server);
      session.send("hello");
      assert.equal(await socket.next(), "4hello");
    });
  });
}

describe("engine: options of uWebSockets.js", () => {
  if (engineHosts.some(({ name }) => name === "uws")) describeOnUws();
});
