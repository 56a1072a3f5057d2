import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { createHook } from "node:async_hooks";

import { next } from "../support/waiting/events.ts";
import { countingHosts } from "./support/counting-hosts.ts";

/** Our sources, in a stack. */
const OURS = /\/packages\/[^/]+\/src\//;

interface WatchedTimers extends Disposable {
  /** The delay of each timer, in ms. */
  readonly delays: number[];
  /** How many have neither fired nor been cleared. */
  readonly waiting: number;
}

/** The internals of a Node.js timer. */
interface Timer {
  readonly _idleTimeout: number;
  readonly _destroyed: boolean;
}

/** Watches the timers that our sources create from now on. */
function watchTimers(): WatchedTimers {
  const timers: Timer[] = [];
  const delays: number[] = [];
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type !== "Timeout" || !OURS.test(new Error().stack ?? "")) return;
      const timer = resource as Timer;
      timers.push(timer);
      delays.push(timer._idleTimeout);
    },
  }).enable();
  return {
    delays,
    get waiting() {
      return timers.filter((timer) => !timer._destroyed).length;
    },
    [Symbol.dispose]: () => void hook.disable(),
  };
}

onEveryHost("timers", countingHosts, (host) => {
  it("as many for a hundred idle connections as for ten", async () => {
    using timers = watchTimers();
    await using server = await host.start();
    await server.connectAll(10);
    const few = timers.waiting;
    await server.connectAll(90);
    // one for the next ping, one for the namespace, one for the clock
    assert.ok(few >= 1, `${few} timers: the test sees none`);
    assert.ok(timers.waiting <= 4, `${timers.waiting} timers`);
  });

  it("one connectTimeout for a hundred connections that join a namespace in time", async () => {
    using timers = watchTimers();
    await using server = await host.start();
    server.io.connectTimeout(43_210);
    await server.connectAll(100);
    assert.deepEqual(
      timers.delays.filter((ms) => ms === 43_210),
      [43_210],
    );
  });

  it("at most one for each of a hundred pending acks with a timeout, and none once they have arrived", async () => {
    using timers = watchTimers();
    await using server = await host.start();
    const wire = await server.connect();
    const before = timers.waiting;
    const [socket] = server.io.sockets.sockets.values();
    for (let n = 0; n < 100; n++) socket!.timeout(60_000).emit("ask", () => {});
    await wire.take(100);
    assert.ok(timers.waiting - before <= 101, `${timers.waiting - before} timers`);
    const last = next(socket, "last");
    for (let n = 0; n < 100; n++) wire.sendText(`43${n}[]`);
    wire.sendText('42["last"]');
    await last;
    assert.ok(timers.waiting <= before + 1, `${timers.waiting - before} timers stay`);
  });
});
