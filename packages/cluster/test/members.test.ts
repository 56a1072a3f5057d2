import assert from "node:assert/strict";
import { DrivenLoop } from "../../engine/test/driven-loop.ts";
import type { LinkError } from "../src/errors.ts";
import { Kind } from "../src/link/kinds.ts";
import type { Greeting } from "../src/link/greeting.ts";
import { joinInMemory, MemoryConnection } from "../src/link/memory-link.ts";
import { Members } from "../src/members.ts";

describe("members", () => {
  let loop: DrivenLoop;
  let log: string[];

  beforeEach(() => {
    loop = new DrivenLoop();
    log = [];
  });

  /** A node whose events are in the log. */
  function member(id: string, greeting: Partial<Greeting> = {}): Members {
    const members = new Members(loop, { id, ...greeting });
    members.on("join", (other) => log.push(`${members.self} join ${other}`));
    members.on("leave", (other, error) =>
      log.push(`${members.self} leave ${other} ${(error as LinkError).code}`),
    );
    members.on("renew", () => log.push(`${id} renew`));
    return members;
  }

  function settle(): void {
    for (let turn = 0; turn < 20; turn++) loop.tick();
  }

  /** The connection of two nodes on which `dialer` greets, and the messages of the errors at both ends. */
  function refusals(dialer: Members, listener: Members, expected?: string): string[] {
    const { ends } = new MemoryConnection(loop);
    const errors: string[] = [];
    const onRefused =
      (name: string) =>
      (error: Error): void =>
        void errors.push(`${name}: ${error.message}`);
    listener.accept(ends[1], { onRefused: onRefused("listener") });
    dialer.dial(ends[0], { onRefused: onRefused("dialer"), ...(expected !== undefined && { expected }) });
    settle();
    return errors;
  }

  it("know each other once they are joined, and no more once one leaves", () => {
    const [a, b, c] = [member("AAAA"), member("BBBB"), member("CCCC")];
    joinInMemory(loop, a, b);
    joinInMemory(loop, c, a);
    joinInMemory(loop, c, b);
    settle();
    assert.deepEqual([...a.peers.keys()].toSorted(), ["BBBB", "CCCC"]);
    assert.deepEqual([...b.peers.keys()].toSorted(), ["AAAA", "CCCC"]);
    assert.equal(a.link("BBBB")!.epoch, b.epoch);
    assert.notEqual(a.epoch, b.epoch);
    log.length = 0;
    a.leave();
    settle();
    assert.deepEqual(log, [
      "AAAA leave BBBB LEFT",
      "AAAA leave CCCC LEFT",
      "BBBB leave AAAA CLOSED",
      "CCCC leave AAAA CLOSED",
    ]);
    assert.deepEqual([...b.peers.keys()], ["CCCC"]);
  });

  it("refuse a node once they have left", () => {
    const [a, b] = [member("AAAA"), member("BBBB")];
    b.leave();
    assert.deepEqual(refusals(a, b), [
      "listener: this node has left the cluster",
      "dialer: the other node has refused the link: this node has left the cluster",
    ]);
  });

  it("allow one handler for each kind of messages", () => {
    const a = member("AAAA");
    a.handle(100, {});
    assert.throws(() => a.handle(100, {}), /kind 100 has a handler already/);
  });

  describe("one link for each pair", () => {
    it("is made by the node with the smaller id; the other one is refused, but known", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      a.on("knock", (id) => log.push(`AAAA knock ${id}`));
      const errors = refusals(b, a);
      assert.equal(errors.length, 2);
      assert.match(errors[0]!, /^listener: the node with the smaller id makes the connection$/);
      assert.deepEqual(log, ["AAAA knock BBBB"]);
    });

    it("is there once when both connect at the same time", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      const there = new MemoryConnection(loop).ends;
      const back = new MemoryConnection(loop).ends;
      a.dial(there[0]);
      b.dial(back[0]);
      a.accept(back[1]);
      b.accept(there[1]);
      settle();
      assert.deepEqual(log, ["BBBB join AAAA", "AAAA join BBBB"]);
    });

    it("is replaced when the node with the smaller id has lost it before the other one knows", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      const first = joinInMemory(loop, a, b);
      settle();
      first.stall();
      a.link("BBBB")!.destroy();
      log.length = 0;
      joinInMemory(loop, a, b);
      settle();
      assert.deepEqual(log, ["BBBB leave AAAA CLOSED", "BBBB join AAAA", "AAAA join BBBB"]);
      assert.equal(b.link("AAAA")!.isOpen, true);
    });

    it("does not lead to the node itself", () => {
      const a = member("AAAA");
      assert.match(refusals(a, a)[0]!, /^listener: the node AAAA is this one/);
    });

    it("leads to the node that was expected", () => {
      assert.match(
        refusals(member("AAAA"), member("BBBB"), "CCCC").join(),
        /dialer: the node BBBB has answered in place of the expected one/,
      );
    });
  });

  describe("greet, and", () => {
    it("refuse a node of another cluster", () => {
      assert.deepEqual(refusals(member("AAAA", { cluster: "one" }), member("BBBB", { cluster: "two" })), [
        'listener: the other node belongs to the cluster "one"',
        'dialer: the other node has refused the link: the other node belongs to the cluster "one"',
      ]);
      assert.deepEqual(log, []);
    });

    it("talk to the version before, and to the one after", () => {
      joinInMemory(loop, member("AAAA", { version: 7 }), member("BBBB", { version: 8 }));
      joinInMemory(loop, member("CCCC", { version: 8 }), member("DDDD", { version: 7 }));
      settle();
      assert.equal(log.length, 4);
    });

    it("refuse other versions", () => {
      assert.match(
        refusals(member("AAAA", { version: 6 }), member("BBBB", { version: 8 }))[0]!,
        /^listener: the other node speaks version 6/,
      );
      assert.match(
        refusals(member("AAAA", { version: 8 }), member("BBBB", { version: 6 }))[0]!,
        /^listener: the other node speaks version 8/,
      );
    });

    it("ignore what a later version adds to the greeting", () => {
      const [pipe, other] = new MemoryConnection(loop).ends;
      const a = member("BBBB");
      a.accept(other);
      let answer = "";
      pipe.start({ onData: (chunk) => void (answer += chunk.toString("latin1")), onClose: () => {} });
      const text = (value: string): string => `\0\0\0${String.fromCharCode(value.length)}${value}`;
      const hello = `${text("tidewire")}\x01${text("")}${text("AAAA")}${text("epoch")}${text("more")}`;
      pipe.write([Buffer.from(`\0\0\0${String.fromCharCode(hello.length)}\x01\0\0\0\0${hello}`, "latin1")]);
      settle();
      assert.deepEqual(log, ["BBBB join AAAA"]);
      assert.match(answer, /tidewire/);
    });

    for (const [what, bytes] of [
      ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
      ["zeros", Buffer.alloc(100)],
      ["a greeting that ends too early", Buffer.from("\0\0\0\x04\x01\0\0\0\0tide", "latin1")],
      ["another message", Buffer.from("\0\0\0\0\x02\0\0\0\0", "latin1")],
    ] as const) {
      it(`refuse ${what}, without a word`, () => {
        const [pipe, other] = new MemoryConnection(loop).ends;
        const a = member("AAAA");
        a.accept(other, { onRefused: (error) => log.push((error as LinkError).code) });
        pipe.start({
          onData: (chunk) => void log.push(chunk.toString()),
          onClose: () => void log.push("closed"),
        });
        pipe.write([bytes]);
        settle();
        assert.deepEqual(log, ["NOT_A_NODE", "closed"]);
      });
    }

    it("wait three seconds for a greeting", () => {
      const [pipe, other] = new MemoryConnection(loop).ends;
      member("AAAA").accept(other, { onRefused: (error) => log.push((error as LinkError).code) });
      pipe.start({ onData: () => {}, onClose: () => void log.push("closed") });
      loop.advance(2999);
      assert.deepEqual(log, []);
      loop.advance(1);
      loop.tick();
      assert.deepEqual(log, ["NO_GREETING", "closed"]);
    });
  });

  describe("heartbeat", () => {
    it("keeps a link open, and measures the round trip", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      joinInMemory(loop, a, b);
      settle();
      log.length = 0;
      assert.equal(a.link("BBBB")!.rtt, undefined);
      loop.advance(3_600_000);
      assert.deepEqual(log, []);
      assert.equal(a.link("BBBB")!.rtt, 0);
      assert.ok(loop.now() - a.link("BBBB")!.lastSeen <= 1000);
    });

    it("breaks a link whose other end has missed three", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      const connection = joinInMemory(loop, a, b);
      settle();
      log.length = 0;
      loop.advance(500);
      connection.stall();
      loop.advance(3400);
      assert.deepEqual(log, []);
      loop.advance(200);
      assert.deepEqual(log, ["BBBB leave AAAA HEARTBEAT_LOST", "AAAA leave BBBB CLOSED"]);
    });

    it("breaks a link whose other end lives, but lets more than 64 MiB wait", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      const connection = joinInMemory(loop, a, b);
      settle();
      log.length = 0;
      const message = Buffer.alloc(65 * 1024 * 1024);
      // More than that waits at each heartbeat, although the other end hears of this one.
      const publish = (seconds: number): void => {
        for (let second = 0; second < seconds; second++) {
          connection.stall(0);
          a.link("BBBB")?.send(100, [message]);
          loop.advance(1000);
          connection.resume();
          settle();
        }
      };
      publish(3);
      assert.deepEqual(log, []);
      publish(1);
      assert.deepEqual(log, ["AAAA leave BBBB TOO_SLOW", "BBBB leave AAAA CLOSED"]);
    });

    it("is answered by messages of any kind", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      joinInMemory(loop, a, b);
      settle();
      const link = b.link("AAAA")!;
      // What b answers gets lost.
      link.send = () => {};
      log.length = 0;
      for (let second = 0; second < 20; second++) {
        link.open(Kind.CAST, [], { onMessage() {}, onEnd() {} });
        loop.advance(1000);
      }
      assert.deepEqual(log, []);
    });

    it("forgives a loop that was blocked for less", () => {
      const [a, b] = [member("AAAA"), member("BBBB")];
      joinInMemory(loop, a, b);
      settle();
      log.length = 0;
      loop.advance(999);
      loop.block(2900);
      loop.advance(10_000);
      assert.deepEqual(log, []);
    });
  });

  it("take another id when they were stopped and the others have given them up", () => {
    const stopped = new DrivenLoop();
    const a = new Members(stopped, { id: "AAAA" });
    a.on("renew", (id) => log.push(`renew ${id === a.self}`));
    a.on("leave", (id) => log.push(`AAAA leave ${id}`));
    const b = member("BBBB");
    const connection = new MemoryConnection(stopped);
    b.accept(connection.ends[1]);
    a.dial(connection.ends[0]);
    for (let turn = 0; turn < 20; turn++) stopped.tick();
    const { epoch } = a;
    log.length = 0;
    // Only one of the loops goes on.
    loop.advance(4000);
    assert.deepEqual(log, ["BBBB leave AAAA HEARTBEAT_LOST"]);
    stopped.block(5000);
    stopped.advance(100);
    assert.deepEqual(log.slice(1), ["AAAA leave BBBB", "renew true"]);
    assert.notEqual(a.self, "AAAA");
    assert.notEqual(a.epoch, epoch);
  });

  it("take another id when another node says that it has given them up", () => {
    const [a, b] = [member("AAAA"), member("BBBB")];
    joinInMemory(loop, a, b);
    settle();
    log.length = 0;
    b.link("AAAA")!.send(Kind.LOST, []);
    settle();
    assert.deepEqual(log, ["AAAA leave BBBB GIVEN_UP", "BBBB leave AAAA CLOSED", "AAAA renew"]);
  });

  it("forget that they were given up when they leave and come back", () => {
    const [a, b] = [member("AAAA"), member("BBBB")];
    joinInMemory(loop, a, b);
    settle();
    b.link("AAAA")!.send(Kind.LOST, []);
    while (a.peers.size > 0) loop.tick();
    a.leave();
    settle();
    a.enter();
    joinInMemory(loop, a, b);
    settle();
    assert.equal(a.peers.size, 1);
    loop.block(60_000);
    loop.advance(60_000);
    assert.equal(log.includes("AAAA renew"), false);
  });

  it("keep their id when they were stopped together with the others", () => {
    const [a, b] = [member("AAAA"), member("BBBB")];
    joinInMemory(loop, a, b);
    settle();
    log.length = 0;
    loop.block(60_000);
    loop.advance(60_000);
    assert.deepEqual(log, []);
  });
});
