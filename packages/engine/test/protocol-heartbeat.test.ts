import assert from "node:assert/strict";
import { Clock } from "../src/loop/clock.ts";
import { v3, v4 } from "../src/protocol/index.ts";
import type { Heartbeat, HeartbeatHandlers, HeartbeatSession } from "../src/protocol/heartbeat.ts";
import { DrivenLoop } from "./driven-loop.ts";

class Session implements HeartbeatSession {
  readonly server: HeartbeatSession["server"];
  upgrading = false;
  isBehind = false;
  readonly log: string[] = [];
  readonly #loop: DrivenLoop;

  constructor(loop: DrivenLoop, clock: Clock) {
    this.#loop = loop;
    this.server = { clock, opts: { pingInterval: 25_000, pingTimeout: 20_000 } };
  }

  note(what: string): void {
    this.log.push(`${what} at ${this.#loop.now()}`);
  }
}

const handlers: HeartbeatHandlers<Session> = {
  isBehind: (session) => session.isBehind,
  sendPing: (session) => session.note("ping"),
  sendPong: (session) => session.note("pong"),
  onHeartbeat: (session) => session.note("heartbeat"),
  onPingTimeout: (session) => session.note("timeout"),
  onWrongDirection: (session) => session.note("wrong direction"),
};

describe("heartbeat", () => {
  let loop: DrivenLoop;
  let clock: Clock;
  let session: Session;
  let heartbeat: Heartbeat;

  const begin = (protocol: typeof v3): void => {
    loop = new DrivenLoop();
    clock = new Clock(loop);
    session = new Session(loop, clock);
    heartbeat = protocol.createHeartbeat(session, handlers);
    heartbeat.start();
  };

  describe("of v4", () => {
    beforeEach(() => begin(v4));

    it("pings after the interval", () => {
      loop.advance(25_000);
      assert.deepEqual(session.log, ["ping at 25000"]);
    });

    it("pings again an interval after each pong", () => {
      loop.advance(25_000);
      loop.advance(1000);
      heartbeat.onPong();
      loop.advance(25_000);
      assert.deepEqual(session.log, ["ping at 25000", "heartbeat at 26000", "ping at 51000"]);
    });

    it("ends a session that does not answer in time", () => {
      loop.advance(100_000);
      assert.deepEqual(session.log, ["ping at 25000", "timeout at 45000"]);
      assert.equal(clock.timers, 0);
    });

    it("runs for hours with a client that answers", () => {
      while (loop.now() < 10 * 3_600_000) {
        loop.advance(25_000);
        heartbeat.onPong();
      }
      assert.equal(session.log.length, 2 * 1440);
      assert.ok(session.log.every((line) => /^(ping|heartbeat)/.test(line)));
    });

    it("gives more time, once, to a client that sends something else instead", () => {
      loop.advance(30_000);
      heartbeat.onActivity();
      loop.advance(15_000);
      heartbeat.onActivity();
      loop.advance(60_000);
      assert.deepEqual(session.log, ["ping at 25000", "timeout at 50000"]);
    });

    it("is not postponed by what a client sends before the ping", () => {
      loop.advance(20_000);
      heartbeat.onActivity();
      loop.advance(5_000);
      assert.deepEqual(session.log, ["ping at 25000"]);
    });

    it("pings early when it is asked to, unless a pong is due, and goes on from there", () => {
      loop.advance(10_000);
      assert.equal(heartbeat.advance(), true);
      assert.equal(heartbeat.advance(), false);
      loop.advance(1000);
      heartbeat.onPong();
      loop.advance(25_000);
      assert.deepEqual(session.log, ["ping at 10000", "heartbeat at 11000", "ping at 36000"]);
      loop.advance(20_000);
      assert.deepEqual(session.log.slice(3), ["timeout at 56000"]);
      assert.equal(clock.timers, 0);
    });

    it("refuses a ping", () => {
      heartbeat.onPing();
      assert.deepEqual(session.log, ["wrong direction at 0"]);
    });

    it("holds the ping back while a transport is probed", () => {
      session.upgrading = true;
      loop.advance(30_000);
      assert.deepEqual(session.log, []);
      session.upgrading = false;
      heartbeat.resume();
      assert.deepEqual(session.log, ["ping at 30000"]);
    });

    it("restarts the full time when a transport was probed meanwhile", () => {
      loop.advance(25_000);
      session.upgrading = true;
      loop.advance(25_000);
      session.upgrading = false;
      heartbeat.resume();
      loop.advance(60_000);
      assert.deepEqual(session.log, ["ping at 25000", "timeout at 70000"]);
    });

    it("does not ping early when the pong came while a transport was still probed", () => {
      loop.advance(25_000);
      session.upgrading = true;
      loop.advance(25_000);
      heartbeat.onPong();
      session.upgrading = false;
      heartbeat.resume();
      loop.advance(25_000);
      assert.deepEqual(session.log, ["ping at 25000", "heartbeat at 50000", "ping at 75000"]);
    });

    it("is not disturbed by an upgrade that fits between two pings", () => {
      loop.advance(10_000);
      heartbeat.resume();
      loop.advance(15_000);
      assert.deepEqual(session.log, ["ping at 25000"]);
    });

    it("waits for packets that the client has sent and that are not handled yet", () => {
      loop.advance(25_000);
      session.isBehind = true;
      loop.advance(50_000);
      session.isBehind = false;
      loop.advance(50_000);
      assert.deepEqual(session.log, ["ping at 25000", "timeout at 85000"]);
    });

    it("ends when it is stopped", () => {
      heartbeat.stop();
      loop.advance(100_000);
      assert.deepEqual(session.log, []);
      assert.equal(clock.timers, 0);
    });
  });

  describe("of v3", () => {
    beforeEach(() => begin(v3));

    it("does not ping, also when it is asked to", () => {
      assert.equal(heartbeat.advance(), false);
      assert.deepEqual(session.log, []);
    });

    it("answers a ping", () => {
      loop.advance(1000);
      heartbeat.onPing();
      assert.deepEqual(session.log, ["pong at 1000", "heartbeat at 1000"]);
    });

    it("ends a session that does not ping within interval and timeout", () => {
      loop.advance(100_000);
      assert.deepEqual(session.log, ["timeout at 45000"]);
    });

    it("restarts the time with each ping", () => {
      loop.advance(44_000);
      heartbeat.onPing();
      loop.advance(100_000);
      assert.deepEqual(session.log.slice(-1), ["timeout at 89000"]);
    });

    it("counts only pings", () => {
      loop.advance(44_000);
      heartbeat.onActivity();
      loop.advance(1000);
      assert.deepEqual(session.log, ["timeout at 45000"]);
    });

    it("refuses a pong", () => {
      heartbeat.onPong();
      assert.deepEqual(session.log, ["wrong direction at 0"]);
    });

    it("waits for packets that the client has sent and that are not handled yet", () => {
      session.isBehind = true;
      loop.advance(46_000);
      session.isBehind = false;
      loop.advance(100_000);
      assert.deepEqual(session.log, ["timeout at 90000"]);
    });

    it("waits for a transport that is being probed", () => {
      session.upgrading = true;
      loop.advance(46_000);
      session.upgrading = false;
      heartbeat.resume();
      loop.advance(100_000);
      assert.deepEqual(session.log, ["timeout at 90000"]);
    });
  });
});
