// Deadlines of 10,000 sessions: the engine's clock compared with timers of Node.
import { bench, group, summary } from "mitata";

// The clock is not exported, so load it by its path in the build.
const built = new URL("../../packages/engine/dist/loop/clock.js", import.meta.url).href;
/** @type {typeof import("../../packages/engine/src/loop/clock.ts")} */
const { Clock, Deadline } = await import(built);

const SESSIONS = 10_000;
const INTERVAL = 25_000;

class Ping extends Deadline {
  onExpired() {}
}

const clock = new Clock();
const pings = Array.from({ length: SESSIONS }, () => new Ping());
for (const ping of pings) clock.schedule(ping, INTERVAL);
const timers = Array.from({ length: SESSIONS }, () => setTimeout(() => {}, INTERVAL));
let next = 0;

group("move a deadline", () => {
  summary(() => {
    bench("the engine's clock", () => clock.schedule(pings[next++ % SESSIONS], INTERVAL));
    bench("timer.refresh()", () => void timers[next++ % SESSIONS].refresh());
    bench("clearTimeout, setTimeout", () => {
      const i = next++ % SESSIONS;
      clearTimeout(timers[i]);
      timers[i] = setTimeout(() => {}, INTERVAL);
    });
  });
});

group("start and cancel a deadline", () => {
  const ping = new Ping();
  summary(() => {
    bench("the engine's clock", () => {
      clock.schedule(ping, INTERVAL);
      clock.cancel(ping);
    });
    bench("setTimeout, clearTimeout", () => clearTimeout(setTimeout(() => {}, INTERVAL)));
  });
});
