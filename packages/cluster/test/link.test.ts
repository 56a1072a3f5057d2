import assert from "node:assert/strict";
import { DrivenLoop } from "../../engine/test/driven-loop.ts";
import { LinkError } from "../src/errors.ts";
import { MAX_PAYLOAD } from "../src/link/frames.ts";
import type { Link, LinkStream, StreamHandlers } from "../src/link/link.ts";
import { joinInMemory } from "../src/link/memory-link.ts";
import type { MemoryConnection } from "../src/link/memory-link.ts";
import { Members } from "../src/members.ts";

/** Kinds that no area has. */
const OPEN = 100;
const TEXT = 101;
const UNKNOWN = 102;

/** Turns of the loop that any exchange takes at most. */
function settle(loop: DrivenLoop): void {
  for (let turn = 0; turn < 20; turn++) loop.tick();
}

describe("link", () => {
  let loop: DrivenLoop;
  let log: string[];
  let a: Members;
  let b: Members;
  let connection: MemoryConnection;
  let ab: Link;
  let ba: Link;
  /** The streams that b has got. */
  let streams: LinkStream[];

  function noting(name: string): StreamHandlers {
    return {
      onMessage: (kind, payload) => void log.push(`${name} ${kind} ${payload.toString("utf8", 0, 20)}`),
      onDrain: () => void log.push(`${name} drain`),
      onEnd: (isBroken) => void log.push(`${name} ${isBroken ? "broken" : "end"}`),
    };
  }

  beforeEach(() => {
    loop = new DrivenLoop();
    log = [];
    streams = [];
    a = new Members(loop, { id: "AAAA" });
    b = new Members(loop, { id: "BBBB" });
    b.handle(OPEN, {
      onStream(_link, stream, payload) {
        log.push(`b open ${payload.toString()}`);
        streams.push(stream);
        return noting("b");
      },
      onMessage: (link, payload) => void log.push(`b from ${link.peer} ${payload.toString()}`),
    });
    connection = joinInMemory(loop, a, b);
    settle(loop);
    ab = a.link("BBBB")!;
    ba = b.link("AAAA")!;
  });

  it("carries messages outside streams in order", () => {
    ab.send(OPEN, ["1"]);
    ab.send(OPEN, [Buffer.from("2"), "3"]);
    settle(loop);
    assert.deepEqual(log, ["b from AAAA 1", "b from AAAA 23"]);
  });

  it("sends all messages of a tick in one write", () => {
    let writes = 0;
    const [pipe] = connection.ends;
    const write = pipe.write.bind(pipe);
    pipe.write = (chunks) => {
      writes++;
      return write(chunks);
    };
    for (let index = 0; index < 100; index++) ab.send(OPEN, ["x"]);
    settle(loop);
    assert.equal(log.length, 100);
    assert.equal(writes, 1);
  });

  it("copies the payload", () => {
    const payload = Buffer.from("before");
    ab.send(OPEN, [payload]);
    payload.write("after ");
    settle(loop);
    assert.deepEqual(log, ["b from AAAA before"]);
  });

  it("carries streams that either end opens, sends on and ends", () => {
    const stream = ab.open(OPEN, ["hello"], noting("a"));
    settle(loop);
    stream.send(TEXT, ["1"]);
    streams[0]!.send(TEXT, ["2"]);
    settle(loop);
    streams[0]!.end();
    streams[0]!.send(TEXT, ["too late"]);
    stream.send(TEXT, ["lost"]);
    settle(loop);
    assert.deepEqual(log, ["b open hello", "b 101 1", "a 101 2", "a end"]);
    assert.deepEqual([stream.isOpen, streams[0]!.isOpen], [false, false]);
  });

  it("ends a stream with a message, in one frame", () => {
    const stream = ab.open(OPEN, [], noting("a"));
    settle(loop);
    const [, pipe] = connection.ends;
    const write = pipe.write.bind(pipe);
    let bytes = 0;
    pipe.write = (chunks) => {
      for (const { length } of chunks) bytes += length;
      return write(chunks);
    };
    streams[0]!.finish(TEXT, ["bye"]);
    streams[0]!.finish(TEXT, ["too late"]);
    settle(loop);
    stream.send(TEXT, ["too late"]);
    settle(loop);
    assert.deepEqual(log, ["b open ", "a 101 bye", "a end"]);
    assert.equal(bytes, 9 + 3);
  });

  it("ends a stream whose last message the handler throws at", () => {
    const error = new Error("of a test");
    const throwing = {
      ...noting("a"),
      onMessage() {
        throw error;
      },
    };
    const stream = ab.open(OPEN, [], throwing);
    settle(loop);
    streams[0]!.finish(TEXT, []);
    settle(loop);
    assert.deepEqual([log, stream.isOpen], [["b open ", "a end"], false]);
    assert.deepEqual(loop.uncaught, [error]);
  });

  it("refuses a message that the other node would not accept; a stream ends with it, and the rest goes on", () => {
    const tooLarge = [Buffer.alloc(MAX_PAYLOAD), "!"];
    const stream = ab.open(OPEN, [], noting("a"));
    const other = ab.open(OPEN, [], noting("other"));
    settle(loop);
    log = [];
    assert.throws(() => ab.send(OPEN, tooLarge), { code: "TOO_LARGE" });
    stream.sendData(TEXT, tooLarge);
    assert.deepEqual([stream.isOpen, log], [false, []]);
    other.send(TEXT, ["1"]);
    ab.send(OPEN, ["2"]);
    settle(loop);
    assert.deepEqual(log, ["a broken", "b end", "b 101 1", "b from AAAA 2"]);
    log = [];
    other.finish(TEXT, tooLarge);
    settle(loop);
    assert.deepEqual([log, ab.isOpen], [["b end"], true]);
  });

  it("keeps the streams of the two ends apart", () => {
    a.handle(OPEN, { onStream: () => noting("a") });
    ab.open(OPEN, [], noting("a1")).send(TEXT, ["from a"]);
    ba.open(OPEN, [], noting("b1")).send(TEXT, ["from b"]);
    settle(loop);
    assert.deepEqual(log, ["b open ", "b 101 from a", "a 101 from b"]);
  });

  it("lets both ends end a stream at the same time", () => {
    const stream = ab.open(OPEN, [], noting("a"));
    settle(loop);
    stream.end();
    streams[0]!.end();
    settle(loop);
    assert.deepEqual(log, ["b open "]);
    assert.deepEqual(loop.uncaught, []);
  });

  it("ends a stream of a kind that the other node does not know, and ignores such messages", () => {
    ab.open(UNKNOWN, [], noting("a"));
    ab.send(UNKNOWN, []);
    ab.send(99, []);
    ab.send(15, []);
    settle(loop);
    assert.deepEqual(log, ["a end"]);
    assert.equal(ab.isOpen, true);
  });

  it("breaks all streams when it is cut, then emits leave", () => {
    a.on("leave", (id, error) => log.push(`a leave ${id} ${(error as LinkError).code}`));
    b.on("leave", (id) => log.push(`b leave ${id}`));
    const stream = ab.open(OPEN, [], noting("a"));
    settle(loop);
    connection.cut();
    stream.send(TEXT, ["lost"]);
    settle(loop);
    assert.deepEqual(log, ["b open ", "a broken", "a leave BBBB CUT", "b broken", "b leave AAAA"]);
    assert.equal(ab.isOpen, false);
    assert.equal(a.link("BBBB"), undefined);
  });

  it("breaks a stream that is opened when it is cut", () => {
    connection.cut();
    settle(loop);
    ab.send(OPEN, ["lost"]);
    ab.open(OPEN, [], noting("a"));
    assert.deepEqual(log, []);
    settle(loop);
    assert.deepEqual(log, ["a broken"]);
  });

  it("breaks at a malformed payload", () => {
    b.handle(TEXT, {
      onMessage() {
        throw new LinkError("MALFORMED", "a test");
      },
    });
    ab.send(TEXT, []);
    settle(loop);
    assert.deepEqual([ab.isOpen, ba.isOpen], [false, false]);
    assert.deepEqual(loop.uncaught, []);
  });

  it("tells a stream that was not known yet when its handler broke the link", () => {
    b.handle(TEXT, {
      onStream(link, stream) {
        streams.push(stream);
        link.destroy();
        return noting("b");
      },
    });
    ab.open(TEXT, [], noting("a"));
    settle(loop);
    assert.deepEqual(log, ["b broken", "a broken"]);
    assert.equal(streams[0]!.isOpen, false);
  });

  it("tells nothing of a stream that its handler has ended before the link broke", () => {
    b.handle(TEXT, {
      onStream(link, stream) {
        stream.end();
        link.destroy();
        return noting("b");
      },
    });
    ab.open(TEXT, [], noting("a"));
    settle(loop);
    assert.deepEqual(log, ["a broken"]);
  });

  it("does not break when a handler throws", () => {
    const error = new Error("of a test");
    b.handle(TEXT, {
      onMessage() {
        throw error;
      },
    });
    ab.send(TEXT, []);
    ab.send(OPEN, ["still here"]);
    settle(loop);
    assert.deepEqual(log, ["b from AAAA still here"]);
    assert.deepEqual(loop.uncaught, [error]);
  });

  it("sends what waits before it leaves", () => {
    b.on("leave", (id) => log.push(`b leave ${id}`));
    ab.send(OPEN, ["last"]);
    a.leave();
    settle(loop);
    assert.deepEqual(log, ["b from AAAA last", "b leave AAAA"]);
  });

  it("waits while it stalls, and counts what waits", () => {
    connection.stall();
    ab.send(OPEN, ["x".repeat(9 * 1024 * 1024)]);
    assert.equal(ab.isOverloaded, true);
    settle(loop);
    assert.equal(ab.bufferedAmount, 9 * 1024 * 1024 + 9);
    assert.deepEqual(log, []);
    connection.resume();
    settle(loop);
    assert.equal(log.length, 1);
    assert.deepEqual([ab.bufferedAmount, ab.isOverloaded], [0, false]);
  });

  describe("credit", () => {
    const KB = Buffer.alloc(1024, "x");

    it("lets 256 KiB through; the rest waits until the other end grants bytes", () => {
      let received = 0;
      const stream = ab.open(OPEN, [], noting("a"));
      settle(loop);
      const end = streams[0]!;
      log.length = 0;
      for (let index = 0; index < 300; index++) {
        assert.equal(stream.sendData(TEXT, [KB]), index < 256);
      }
      stream.send(TEXT, ["after the data"]);
      assert.equal(stream.bufferedAmount, 44 * 1024);
      settle(loop);
      received = log.length;
      assert.equal(received, 256);
      end.grant(64 * 1024);
      settle(loop);
      assert.equal(stream.bufferedAmount, 0);
      assert.equal(log.length, 256 + 44 + 2);
      assert.deepEqual(log[256], "a drain");
      assert.deepEqual(log.at(-1), "b 101 after the data");
    });

    it("lets a message through that is longer than the credit, and no other behind it", () => {
      const stream = ab.open(OPEN, [], noting("a"));
      assert.equal(stream.sendData(TEXT, [Buffer.alloc(1024 * 1024)]), true);
      assert.equal(stream.sendData(TEXT, ["x"]), false);
      settle(loop);
      assert.equal(log.length, 2);
      streams[0]!.grant(1024 * 1024);
      settle(loop);
      assert.deepEqual(log.slice(2), ["a drain", "b 101 x"]);
    });

    it("bounds what a link holds for a reader that stalls, and delivers all of 64 MB once it reads", () => {
      const stream = ab.open(OPEN, [], noting("a"));
      settle(loop);
      const end = streams[0]!;
      let most = 0;
      let sent = 0;
      let granted = 0;
      const total = 64 * 1024;
      const writeAll = (): void => {
        while (sent < total && stream.sendData(TEXT, [KB])) sent++;
      };
      writeAll();
      assert.equal(sent, 256);
      // The message that was refused waits.
      sent++;
      while (granted < total) {
        settle(loop);
        const arrived = log.filter((line) => line.startsWith("b 101")).length;
        log.length = 0;
        granted += arrived;
        most = Math.max(most, arrived);
        end.grant(arrived * 1024);
        settle(loop);
        if (stream.bufferedAmount === 0) {
          writeAll();
          if (sent < total) sent++;
        }
      }
      assert.equal(granted, total);
      assert.ok(most <= 257, `${most} KiB at once`);
    });

    it("forgets what waits when the stream ends", () => {
      const stream = ab.open(OPEN, [], noting("a"));
      stream.sendData(TEXT, [Buffer.alloc(256 * 1024)]);
      stream.sendData(TEXT, ["waits"]);
      stream.end();
      assert.equal(stream.bufferedAmount, 0);
      settle(loop);
      assert.deepEqual(log.at(-1), "b end");
    });
  });
});
