import assert from "node:assert/strict";
import { DrivenLoop } from "../../../engine/test/driven-loop.ts";
import { PayloadWriter } from "../../src/link/writer.ts";
import { Arrivals } from "../../src/channels/arrivals.ts";
import type { ArrivalsNode } from "../../src/channels/arrivals.ts";
import { decodePublication, encodePublication, publicationSize } from "../../src/channels/publication.ts";

interface Given {
  from?: string;
  epoch?: number;
  first: number;
  texts: string[];
  firstCopy?: number;
}

function publication({ from = "AAAA", epoch = 1, first, texts, firstCopy = 0 }: Given): Buffer {
  const writer = new PayloadWriter().begin();
  for (const text of texts) writer.parts([text]);
  const messages = writer.end();
  const head = { from, epoch, first, count: texts.length, firstCopy, messages };
  return encodePublication(new PayloadWriter(), head);
}

/** What a node passes on. */
class Node {
  readonly loop: DrivenLoop = new DrivenLoop();
  readonly heard: string[] = [];
  readonly arrivals: Arrivals;

  constructor(node: ArrivalsNode = {}) {
    const handlers = {
      onMessage: (from: string, payload: Buffer) => this.heard.push(`${from} ${payload.toString()}`),
      onGap: (from: string, missed: number) => this.heard.push(`${from} ${missed} missed`),
    };
    this.arrivals = new Arrivals(this.loop, handlers, node);
  }

  accept(given: Given, channel: number = 0, isRepeated: boolean = false): void {
    this.arrivals.accept(channel, publication(given), isRepeated);
  }

  take(): string[] {
    return this.heard.splice(0);
  }
}

describe("publications on channels", () => {
  let node: Node;

  beforeEach(() => {
    node = new Node();
  });

  it("are read as they were written", () => {
    const payload = publication({
      from: "ABCD",
      epoch: 2 ** 48 - 1,
      first: 7,
      texts: ["a", "é"],
      firstCopy: 9,
    });
    const { messages, ...head } = decodePublication(payload)!;
    assert.deepEqual(head, { from: "ABCD", epoch: 2 ** 48 - 1, first: 7, count: 2, firstCopy: 9 });
    assert.equal(payload.length, publicationSize("ABCD", messages.length));
    assert.throws(() => decodePublication(payload.subarray(0, 10)), { code: "MALFORMED" });
    payload[0] = 2;
    assert.equal(decodePublication(payload), undefined);
  });

  it("begin anywhere, for a node may subscribe late", () => {
    node.accept({ first: 42, texts: ["a", "b"] });
    node.accept({ first: 44, texts: ["c"] });
    assert.deepEqual(node.take(), ["AAAA a", "AAAA b", "AAAA c"]);
  });

  it("arrive once, whichever way they come, and in their order", () => {
    node.accept({ first: 1, texts: ["a"] });
    node.accept({ first: 3, texts: ["c"] });
    node.accept({ first: 1, texts: ["a"] });
    node.accept({ first: 3, texts: ["c"] });
    node.accept({ first: 4, texts: ["d"] });
    assert.deepEqual(node.take(), ["AAAA a"]);
    node.accept({ first: 2, texts: ["b"] });
    assert.deepEqual(node.take(), ["AAAA b", "AAAA c", "AAAA d"]);
    node.loop.advance(10_000);
    assert.deepEqual(node.take(), []);
  });

  it("are counted for each publisher and channel", () => {
    node.accept({ first: 1, texts: ["a"] }, 1);
    node.accept({ first: 1, texts: ["b"] }, 2);
    node.accept({ from: "BBBB", first: 1, texts: ["c"] }, 1);
    node.accept({ first: 2, texts: ["d"] }, 1);
    assert.deepEqual(node.take(), ["AAAA a", "AAAA b", "BBBB c", "AAAA d"]);
  });

  it("are waited for half a second, then told to be missing", () => {
    node.accept({ first: 1, texts: ["a"] });
    node.accept({ first: 4, texts: ["d"] });
    node.loop.advance(400);
    node.accept({ first: 6, texts: ["f"] });
    assert.deepEqual(node.take(), ["AAAA a"]);
    node.loop.advance(100);
    assert.deepEqual(node.take(), ["AAAA 2 missed", "AAAA d"]);
    node.accept({ first: 2, texts: ["b", "c"] });
    assert.deepEqual(node.take(), []);
    node.loop.advance(500);
    assert.deepEqual(node.take(), ["AAAA 1 missed", "AAAA f"]);
    assert.equal(node.loop.timers, 0);
  });

  it("do not wait without a limit", () => {
    node.accept({ first: 1, texts: ["a"] });
    for (let first = 3; first < 1003; first++) node.accept({ first, texts: [`${first}`] });
    assert.equal(node.take().length, 1);
    node.accept({ first: 1003, texts: ["last"] });
    const heard = node.take();
    assert.deepEqual([heard[0], heard[1], heard.at(-1)], ["AAAA 1 missed", "AAAA 3", "AAAA last"]);
  });

  it("begin anew with another epoch", () => {
    node.accept({ first: 10, texts: ["a"] });
    node.accept({ epoch: 2, first: 1, texts: ["b"] });
    assert.deepEqual(node.take(), ["AAAA a", "AAAA b"]);
  });

  it("of the node itself are ignored, and those of channels on which it has no receivers", () => {
    node = new Node({ epoch: 5, isWanted: (channel) => channel < 10 });
    node.accept({ epoch: 5, first: 1, texts: ["own"] });
    node.accept({ first: 1, texts: ["unwanted"] }, 10);
    node.accept({ first: 1, texts: ["wanted"] }, 9);
    assert.deepEqual(node.take(), ["AAAA wanted"]);
  });

  it("to several channels arrive once", () => {
    node.accept({ first: 1, texts: ["a", "b"], firstCopy: 1 }, 1);
    node.accept({ first: 7, texts: ["a", "b"], firstCopy: 1 }, 2);
    node.accept({ first: 8 + 1, texts: ["c"] }, 2);
    node.accept({ from: "BBBB", first: 1, texts: ["d"], firstCopy: 1 }, 2);
    for (let n = 3; n < 2003; n++) node.accept({ first: n, texts: ["x"], firstCopy: n }, 1);
    node.accept({ first: 10, texts: ["x"], firstCopy: 2002 }, 2);
    assert.deepEqual(
      node.take().filter((heard) => heard !== "AAAA x"),
      ["AAAA a", "AAAA b", "AAAA c", "BBBB d"],
    );
  });

  it("that are repeated fill gaps, and are not news to a node that has just come", () => {
    node.accept({ first: 1, texts: ["old"] }, 0, true);
    assert.deepEqual(node.take(), []);
    node.accept({ first: 2, texts: ["a"] });
    node.accept({ first: 3, texts: ["b"] }, 0, true);
    node.accept({ first: 3, texts: ["b"] });
    node.accept({ first: 4, texts: ["c"] });
    assert.deepEqual(node.take(), ["AAAA a", "AAAA b", "AAAA c"]);
  });

  it("are forgotten with a channel", () => {
    node.accept({ first: 1, texts: ["a"] });
    node.accept({ first: 3, texts: ["c"] });
    node.arrivals.forget(0);
    node.loop.advance(1000);
    node.accept({ first: 50, texts: ["z"] });
    assert.deepEqual(node.take(), ["AAAA a", "AAAA z"]);
  });

  it("of a thousand publishers are remembered", () => {
    for (let n = 0; n < 1001; n++) node.accept({ from: `${n}`, first: 1, texts: ["a"] });
    node.take();
    node.accept({ from: "0", first: 3, texts: ["b"] });
    node.accept({ from: "1000", first: 3, texts: ["b"] });
    assert.deepEqual(node.take(), ["0 b"]);
    node.loop.advance(500);
    assert.deepEqual(node.take(), ["1000 1 missed", "1000 b"]);
  });
});
