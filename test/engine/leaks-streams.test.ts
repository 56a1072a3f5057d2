import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Session } from "../support/engine/types.ts";
import { collectGarbage } from "../support/process/garbage.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { Http2Engine } from "../support/http2/engine.ts";
import { until } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { connectWebTransport, startWithWebTransport } from "../support/webtransport/engine.ts";
import { endOf } from "../support/webtransport/pair.ts";

const ROUNDS = 30;

/** How many of them are still reachable after several collections. */
async function alive(refs: WeakRef<object>[]): Promise<number> {
  let count = refs.length;
  for (let round = 0; round < 20 && count > 0; round++) {
    await pause(10);
    collectGarbage();
    count = refs.filter((ref) => ref.deref() !== undefined).length;
  }
  return count;
}

/** A session from its beginning to an end of one kind or another; what is left of it shows in the reference. */
async function webTransportRound(server: StartedEngine, round: number): Promise<WeakRef<object>> {
  const { pair, stream } = connectWebTransport(server);
  await stream.write(round % 5 === 4 ? '06 "2probe"' : '01 "0"');
  if (round % 5 < 4) await stream.frame();
  if (round % 5 === 0) pair.close();
  if (round % 5 === 1) pair.lose();
  if (round % 5 === 2) await stream.finish();
  if (round % 5 === 3) Object.values(server.engine.clients)[0]?.close();
  await endOf(pair).catch(() => {});
  return new WeakRef(pair);
}

/** The queues of the test hold what they saw. */
async function drain(server: StartedEngine): Promise<void> {
  while (server.errors.length > 0) await server.nextError();
  for (let round = 0; round < ROUNDS; round++) if (round % 5 < 4) await server.nextSession();
}

async function webSocketRound(running: Http2Engine, round: number): Promise<WeakRef<object>[]> {
  const { socket, session } = await running.websocket();
  if (round % 3 === 0) socket.close();
  if (round % 3 === 1) socket.stream.close(8);
  if (round % 3 === 2) session.close();
  await socket.closed;
  return [session, session.transport, session.request as object].map((each) => new WeakRef(each));
}

onEveryHost("engine: memory of WebTransport", engineHosts, (host) => {
  host.it("releases WebTransport sessions, however they end", async () => {
    await using server = await startWithWebTransport(host);
    const refs: WeakRef<object>[] = [];
    server.engine.on("connection", (session: Session) => {
      refs.push(new WeakRef(session), new WeakRef(session.transport));
    });
    for (let round = 0; round < ROUNDS; round++) refs.push(await webTransportRound(server, round));
    await until(() => server.engine.clientsCount === 0, "the sessions to close");
    await drain(server);
    assert.equal(await alive(refs), 0);
  });
});

it("releases WebSockets on one HTTP/2 connection, however they end", async () => {
  await using running = await Http2Engine.start();
  const refs: WeakRef<object>[] = [];
  for (let round = 0; round < ROUNDS; round++) refs.push(...(await webSocketRound(running, round)));
  await until(() => running.engine.clientsCount === 0, "the sessions to close");
  assert.equal(await alive(refs), 0);
});
