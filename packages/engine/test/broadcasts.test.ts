import assert from "node:assert/strict";
import { Message } from "../src/protocol/packet.ts";
import { Audience } from "../src/session/audience.ts";
import { FlushQueue } from "../src/session/flush-queue.ts";
import type { Broadcasts } from "../src/session/broadcasts.ts";
import { MemoryHost } from "../src/host/memory/host.ts";
import { Server as Engine } from "../src/server.ts";
import type { Session } from "../src/session/session.ts";
import { FanOut } from "../src/transport/fan-out.ts";
import type { WebSocketPort } from "../src/host/host.ts";
import { DrivenLoop } from "./driven-loop.ts";

/** A session, as broadcasts see it. */
interface Receiver {
  /** What was written to it in one go, or what it was to queue: the latter in brackets. `<a>` is a frame of its port. */
  readonly got: string[];
}

const texts = (messages: readonly Message[]): string => messages.map(({ data }) => data).join("");
const messages = (...data: string[]): Message[] => data.map((each) => new Message(each));

/** A port that notes its frames and its corks. */
function portOf({ got }: Receiver, bufferedAmount: () => number): WebSocketPort {
  return {
    remoteAddress: "",
    socket: undefined,
    corksReads: true,
    copies: true,
    get bufferedAmount() {
      return bufferedAmount();
    },
    send(data) {
      got.push(`<${data.toString()}>`);
      return false;
    },
    cork(batch) {
      got.push("[");
      batch.write();
      got.push("]");
    },
    pause: () => false,
    resume() {},
    close() {},
    terminate() {},
  };
}

describe("broadcasts", () => {
  let loop: DrivenLoop;
  let queue: FlushQueue<Receiver>;
  let broadcasts: Broadcasts<Receiver>;
  let isWatched: boolean;
  let sessions: Receiver[];
  const got = (): string[] => sessions.map((session) => session.got.join(" "));
  const audience = (isDisjoint: boolean, ...members: number[]): Audience<Receiver> =>
    new Audience(
      members.map((n) => sessions[n]!),
      isDisjoint,
    );

  beforeEach(() => {
    loop = new DrivenLoop();
    sessions = Array.from({ length: 4 }, () => ({ got: [] }));
    isWatched = false;
    queue = new FlushQueue<Receiver>(
      {
        flush() {},
        deliver: (session, all) => session.got.push(texts(all)),
        queue: (session, all, first) => session.got.push(`(${texts(all.slice(first))})`),
        stalled: (session) => session.got.push("stalled"),
        areWatched: () => isWatched,
      },
      loop,
    );
    ({ broadcasts } = queue);
  });

  it("write all of a tick to each session in one go", () => {
    const all = audience(false, 0, 1);
    broadcasts.send(all, messages("a", "b"), []);
    broadcasts.send(all, messages("c"), []);
    assert.deepEqual(got(), ["", "", "", ""]);
    loop.tick();
    assert.deepEqual(got(), ["abc", "abc", "", ""]);
    assert.equal(broadcasts.isWaiting, false);
    assert.equal(loop.immediates, 0);
  });

  it("queue in a session what it is to get when somebody touches it, and the rest later", () => {
    const all = audience(false, 0, 1);
    broadcasts.send(all, messages("a"), []);
    broadcasts.settle(sessions[0]!);
    broadcasts.settle(sessions[0]!);
    broadcasts.send(all, messages("b"), []);
    loop.tick();
    assert.deepEqual(got(), ["(a) (b)", "ab", "", ""]);
  });

  it("leave out who is excepted, and keep the order of what it got before", () => {
    const all = audience(false, 0, 1);
    broadcasts.send(all, messages("a"), []);
    broadcasts.send(all, messages("b"), [sessions[0]!]);
    broadcasts.send(all, messages("c"), []);
    loop.tick();
    assert.deepEqual(got(), ["(a) (c)", "abc", "", ""]);
  });

  it("to audiences that share no session wait side by side", () => {
    const [first, second] = [audience(true, 0, 1), audience(true, 2, 3)];
    broadcasts.send(first, messages("a"), []);
    broadcasts.send(second, messages("b"), []);
    broadcasts.send(first, messages("c"), []);
    loop.tick();
    assert.deepEqual(got(), ["ac", "ac", "b", "b"]);
  });

  it("to audiences that may share one are queued in each session, in order", () => {
    const [first, second] = [audience(false, 0, 1), audience(true, 1, 2)];
    broadcasts.send(first, messages("a"), []);
    broadcasts.send(second, messages("b"), []);
    loop.tick();
    assert.deepEqual(got(), ["(a)", "(a) b", "b", ""]);
  });

  it("to a hundred audiences reach all but the excepted, whatever is touched in between", () => {
    sessions = Array.from({ length: 300 }, () => ({ got: [] }));
    const audiences = Array.from({ length: 100 }, (_, n) => audience(true, 3 * n, 3 * n + 1, 3 * n + 2));
    for (const text of ["a", "b"]) {
      for (const [n, each] of audiences.entries()) {
        broadcasts.send(each, messages(text), [sessions[3 * n]!]);
        if (n % 40 === 0) broadcasts.settle(sessions[3 * n + 1]!);
      }
    }
    loop.tick();
    const all = sessions.map((session) => session.got.join("").replace(/[()]/g, ""));
    assert.deepEqual(
      all,
      sessions.map((_, n) => (n % 3 === 0 ? "" : "ab")),
    );
  });

  it("to a hundred audiences wait on for the others when one is touched, until the search costs more", () => {
    sessions = Array.from({ length: 200 }, () => ({ got: [] }));
    for (let n = 0; n < 200; n += 2) broadcasts.send(audience(true, n, n + 1), messages("a"), []);
    // 8 look-ups for each of the 200 receivers, 100 for each session that is touched.
    for (let n = 0; n < 16; n++) broadcasts.settle(sessions[n]!);
    assert.deepEqual(got().slice(0, 18), [...Array.from({ length: 16 }, () => "(a)"), "", ""]);
    broadcasts.settle(sessions[0]!);
    assert.ok(got().every((each) => each === "(a)"));
    assert.equal(broadcasts.isWaiting, false);
  });

  it("count at once for a session whose transport takes nothing, and for one whose packet is being handled", () => {
    broadcasts.block(sessions[0]!);
    broadcasts.reading = sessions[1];
    broadcasts.send(audience(false, 0, 1, 2), messages("a"), []);
    assert.deepEqual(got(), ["(a)", "(a)", "", ""]);
    broadcasts.unblock(sessions[0]!);
    broadcasts.reading = undefined;
    loop.tick();
    assert.deepEqual(got(), ["(a)", "(a)", "a", ""]);
  });

  it("to more than 500 sessions let the loop have a turn, and keep the order of what is sent meanwhile", () => {
    sessions = Array.from({ length: 600 }, () => ({ got: [] }));
    const all = new Audience(sessions, false);
    broadcasts.send(all, messages("a"), []);
    loop.tick();
    assert.deepEqual(got().slice(499, 501), ["a", ""]);
    broadcasts.settle(sessions[0]!);
    broadcasts.settle(sessions[599]!);
    broadcasts.send(all, messages("b"), []);
    loop.tick();
    loop.tick();
    assert.deepEqual([got()[0], got()[499], got()[500], got()[599]], ["a b", "a b", "a (b)", "(a) (b)"]);
  });

  describe("with a fan-out", () => {
    /** How many of the frames each port has not passed on. */
    let held: Map<number, number>;
    const fanned = (...members: number[]): Audience<Receiver> => {
      const ports = members.map((n) => portOf(sessions[n]!, () => held.get(n) ?? 0));
      const fanOut = new FanOut(ports, (packet) => ({
        data: String(packet.data),
        isBinary: false,
        compress: false,
        packet,
      }));
      return new Audience(
        members.map((n) => sessions[n]!),
        false,
        fanOut,
      );
    };

    beforeEach(() => {
      held = new Map();
    });

    it("write to the ports, and report those that stall", () => {
      held.set(1, 1);
      broadcasts.send(fanned(0, 1, 2), messages("a"), []);
      loop.tick();
      broadcasts.send(fanned(0, 1, 2), messages("b", "c"), [sessions[2]!]);
      loop.tick();
      assert.deepEqual(got(), ["<a> [ <b> <c> ]", "<a> stalled [ <b> <c> ] stalled", "<a>", ""]);
    });

    it("write to ports in rounds: what comes while one is under way waits for the next", () => {
      sessions = Array.from({ length: 4 }, () => ({ got: [] }));
      queue.slice = 2;
      held.set(2, 1);
      const all = fanned(0, 1, 2, 3);
      broadcasts.send(all, messages("a"), []);
      loop.tick();
      broadcasts.send(all, messages("b"), [sessions[0]!]);
      broadcasts.send(all, messages("c"), []);
      broadcasts.settle(sessions[3]!);
      for (let turn = 0; turn < 3; turn++) loop.tick();
      assert.deepEqual(got(), ["<a> (c)", "<a> [ <b> <c> ]", "<a> stalled (bc)", "(a) (bc)"]);
      assert.equal(broadcasts.isWaiting, false);
    });

    it("hold what is sent to an audience whose turn has not come", () => {
      sessions = Array.from({ length: 4 }, () => ({ got: [] }));
      queue.slice = 2;
      const [first, second] = [fanned(0, 1), fanned(2, 3)];
      first.isDisjoint = second.isDisjoint = true;
      broadcasts.send(first, messages("a"), []);
      broadcasts.send(second, messages("b"), []);
      loop.tick();
      broadcasts.send(second, messages("c"), []);
      loop.tick();
      assert.deepEqual(got(), ["<a>", "<a>", "[ <b> <c> ]", "[ <b> <c> ]"]);
    });

    it("look at a session that somebody has touched, and at all sessions where that cannot be known", () => {
      const all = fanned(0, 1);
      broadcasts.send(all, messages("a"), []);
      broadcasts.settle(sessions[0]!);
      loop.tick();
      broadcasts.send(all, messages("b"), []);
      broadcasts.isTouched = true;
      loop.tick();
      isWatched = true;
      broadcasts.send(all, messages("c"), []);
      loop.tick();
      isWatched = false;
      broadcasts.send(all, messages("d"), []);
      loop.tick();
      assert.deepEqual(got(), ["(a) b c <d>", "<a> b c <d>", "", ""]);
    });

    it("queue behind what waits in sessions, and look at all sessions where many wait", () => {
      const all = fanned(0, 1);
      broadcasts.send(all, messages("a"), []);
      queue.add(sessions[0]!);
      loop.tick();
      for (let n = 0; n < 65; n++) queue.add({ got: [] });
      broadcasts.send(all, messages("b"), []);
      loop.tick();
      assert.deepEqual(got(), ["(a) b", "<a> b", "", ""]);
    });
  });

  it("hold no session that ends while its packet is handled", async () => {
    const engine = new Engine({ pingInterval: 1e8 });
    const host = new MemoryHost();
    engine.attachHost(host);
    engine.on("connection", (session: Session) => session.on("message", () => session.close(true)));
    const webSocket = await host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
    webSocket.send("4bye");
    assert.equal(engine.clientsCount, 0);
    assert.equal(engine.broadcasts.reading, undefined);
  });

  it("go on with the others when one throws", () => {
    const error = new Error("on purpose");
    Object.defineProperty(sessions[0], "got", {
      get: () => {
        throw error;
      },
    });
    broadcasts.send(audience(false, 0, 1), messages("a"), []);
    loop.tick();
    assert.deepEqual(sessions[1]!.got, ["a"]);
    assert.deepEqual(loop.uncaught, [error]);
  });
});
