import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import * as uWS from "uWebSockets.js";
import type { HttpResponse, TemplatedApp, WebSocket, WebSocketBehavior } from "uWebSockets.js";
import { Server as TidewireEngine, type UwsApp } from "@tidewire/engine";
import { engineHosts } from "../support/engine/hosts.ts";
import { until } from "../support/engine/peers.ts";
import { serveApp } from "../support/engine/serve.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { EngineOptions } from "../support/engine/types.ts";
import { runAll } from "../support/process/programs.ts";
import { next } from "../support/waiting/events.ts";
import type { WireSocket } from "../support/wire/client.ts";

/** In none of so many may the WebSocket be closed: without its cure, uWebSockets.js closes nineteen of twenty of these. */
const ROUNDS = 5;

type Behavior = WebSocketBehavior<object>;

/**
 * The app, as one whose application uses memory whenever a WebSocket opens: what uWebSockets.js frees in a late upgrade is used again
 * before it looks at it.
 */
function usingMemory(app: TemplatedApp): UwsApp {
  return {
    any: (pattern: string, handler: (response: HttpResponse) => void) => app.any(pattern, handler),
    ws: (pattern: string, behavior: Behavior) =>
      app.ws(pattern, {
        ...behavior,
        open(socket: WebSocket<object>) {
          for (let size = 24; size <= 200; size += 8) Buffer.allocUnsafeSlow(size).fill(0x10);
          void behavior.open?.(socket);
        },
      }),
    close: () => app.close(),
  } as unknown as UwsApp;
}

/** An engine of its own, which has no other connection. */
function start(options: EngineOptions, prepare?: (engine: TidewireEngine) => void): StartedEngine {
  const app = uWS.App();
  const engine = new TidewireEngine(options);
  prepare?.(engine);
  engine.attachApp(usingMemory(app));
  return serveApp(engine, app);
}

/** Opens a WebSocket on a new session. */
async function begin(server: StartedEngine, protocol: number): Promise<WireSocket> {
  const socket = await server.client.websocket(pathOf(server, protocol, "transport=websocket"));
  assert.match(String(await socket.next()), /^0{"sid"/);
  return socket;
}

/** Opens a WebSocket to which a session on long-polling changes. */
async function change(server: StartedEngine, protocol: number): Promise<WireSocket> {
  const { body } = await server.client.get(pathOf(server, protocol, "transport=polling"));
  const [, sid] = /"sid":"(.*?)"/.exec(body) ?? [];
  const socket = await server.client.websocket(pathOf(server, protocol, `transport=websocket&sid=${sid}`));
  socket.sendText("2probe");
  assert.equal(await socket.next(), "3probe");
  socket.sendText("5");
  return socket;
}

function pathOf(server: StartedEngine, protocol: number, query: string): string {
  return server.path(query).replace("EIO=4", `EIO=${protocol}`);
}

const clients = { "a new session": begin, "an upgrade": change };

/** Ways to let an upgrade in after it was handed over. */
const ways: Record<string, () => StartedEngine> = {
  "allowRequest answers later": () =>
    start({ allowEIO3: true, allowRequest: (_req, decide) => void setImmediate(decide, null, true) }),
  "a middleware goes on later": () =>
    start({ allowEIO3: true }, (engine) => engine.use((_req, _res, goOn) => void setImmediate(goOn))),
  "a middleware goes on in a microtask": () =>
    start({ allowEIO3: true }, (engine) => engine.use((_req, _res, goOn) => queueMicrotask(goOn))),
  "generateId takes its time": () =>
    start({ allowEIO3: true }, (engine) => {
      engine.generateId = () => new Promise((resolve) => setImmediate(resolve, randomUUID()));
    }),
};

async function assertWorks(server: StartedEngine, socket: WireSocket): Promise<void> {
  const session = await server.nextSession();
  const heard = next(session, "message");
  socket.sendText("4sent");
  assert.deepEqual(await heard, ["sent"]);
  session.send("pushed");
  assert.equal(await socket.next(), "4pushed");
  assert.equal(server.engine.clientsCount, 1);
}

function describeLateUpgrades(): void {
  for (const [way, startEngine] of Object.entries(ways)) {
    for (const [kind, open] of Object.entries(clients)) {
      // Upgrades ask neither for an id nor for permission.
      if (open === change && !way.includes("middleware")) continue;
      it(`leaves the only WebSocket open if ${way}: ${kind}`, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          for (const protocol of [3, 4]) {
            await using server = startEngine();
            await assertWorks(server, await open(server, protocol));
          }
        }
      });
    }
  }

  it("leaves it open when no folder for a socket can be made", async () => {
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = path.join(tmpdir(), "there", "is", "none");
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await using server = ways["allowRequest answers later"]!();
        await assertWorks(server, await begin(server, 4));
      }
    } finally {
      if (TMPDIR === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = TMPDIR;
    }
  });

  it("leaves it open after others have come and gone", async () => {
    await using server = ways["allowRequest answers later"]!();
    for (let round = 0; round < ROUNDS; round++) {
      const socket = await begin(server, 4);
      await assertWorks(server, socket);
      socket.close();
      await socket.closed;
      await until(() => server.engine.clientsCount === 0, "the end of the session");
    }
  });

  it("leaves nothing open", async () => {
    const code = `
      import { once } from "node:events";
      import { App, us_listen_socket_close, us_socket_local_port } from "uWebSockets.js";
      import { WebSocket } from "ws";
      import { Server } from "@tidewire/engine";

      const app = App();
      const engine = new Server({ allowRequest: (_req, decide) => setImmediate(decide, null, true) });
      engine.attachApp(app);
      app.listen(0, async (listening) => {
        const address = \`ws://localhost:\${us_socket_local_port(listening)}/engine.io/?EIO=4&transport=websocket\`;
        for (const _ of [1, 2]) {
          const socket = new WebSocket(address);
          await once(socket, "message");
          socket.close();
          await once(socket, "close");
        }
        us_listen_socket_close(listening);
      });
    `;
    assert.deepEqual(await runAll([{ code, extension: "mjs" }]), [{ lines: [] }]);
  });
}

describe("engine: upgrades that are decided late", () => {
  if (engineHosts.some(({ name }) => name === "uws")) describeLateUpgrades();
});
