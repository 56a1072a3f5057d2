import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import compression from "compression";
import helmet from "helmet";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { install, use, ways } from "../support/engine/middlewares.ts";
import { until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Node's HTTP parser holds the last request, with its response. */
const HELD_BY_NODE = 2;

/** Waits until all are collected, except for what Node holds. Returns how many remain. */
async function remaining(refs: WeakRef<object>[]): Promise<number> {
  let left = refs.length;
  for (let round = 0; round < 50 && left > HELD_BY_NODE; round++) {
    await pause(5);
    collect();
    left = refs.filter((ref) => ref.deref() !== undefined).length;
  }
  return left;
}

/** Records every response, and every request but handshakes, which sessions keep. */
function watch(server: StartedEngine): WeakRef<object>[] {
  const refs: WeakRef<object>[] = [];
  use(server.engine, (req, res, next) => {
    refs.push(new WeakRef(res));
    if (req._query?.["sid"] !== undefined) refs.push(new WeakRef(req));
    next();
  });
  return refs;
}

async function openAndUse(server: StartedEngine, way: (typeof ways)[number]): Promise<void> {
  const { session: connection } = await way.open(server);
  if (way.name === "websocket") return;
  const path = server.path(`transport=polling&sid=${connection.id}`);
  await server.client.post(path, "4x");
  connection.send("y");
  await server.client.get(path);
}

onEveryHost("middlewares: memory", engineHosts, (host) => {
  for (const way of ways) {
    host.it(`releases the response of an open session, by ${way.name}`, async () => {
      await using server = await host.start();
      // Not express-session: the methods of its sessions hold the response.
      install(server.engine, helmet());
      install(server.engine, compression());
      const refs = watch(server);
      for (let count = 0; count < 10; count++) await openAndUse(server, way);
      assert.equal(server.engine.clientsCount, 10);
      assert.equal(refs.length, way.name === "polling" ? 50 : 10);
      const left = await remaining(refs);
      assert.ok(left <= HELD_BY_NODE, `${left} of ${refs.length} remain`);
    });

    const tcp = way.name === "websocket" ? ({ needs: "tcp" } as const) : {};
    host.it(`releases requests that were never passed on, by ${way.name}`, { ...tcp }, async () => {
      await using server = await host.start();
      const refs: WeakRef<object>[] = [];
      use(server.engine, (req, res) => {
        refs.push(new WeakRef(req), new WeakRef(res));
      });
      const aborter = new AbortController();
      const request = { signal: aborter.signal };
      const path = server.path(`transport=${way.name}`);
      for (let count = 0; count < 10; count++) {
        const { client } = server;
        const answer = way.name === "polling" ? client.get(path, request) : client.websocket(path, request);
        answer.catch(() => {});
      }
      await until(() => refs.length === 20, "the middleware to be asked");
      aborter.abort();
      const left = await remaining(refs);
      assert.ok(left <= HELD_BY_NODE, `${left} of ${refs.length} remain`);
    });
  }
});
