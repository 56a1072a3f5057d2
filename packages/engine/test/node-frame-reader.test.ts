import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { encodeFrame, OPCODE } from "../../../test/support/wire/frames.ts";
import type { FrameOptions } from "../../../test/support/wire/frames.ts";
import type { WebSocketHandlers } from "../src/host/host.ts";
import { FrameReader } from "../src/host/node/frame-reader.ts";

const text = (content: string, options?: FrameOptions) =>
  encodeFrame(OPCODE.text, Buffer.from(content), options);
const binary = (content: string, options?: FrameOptions) =>
  encodeFrame(OPCODE.binary, Buffer.from(content), options);
const continuation = (content: string, options?: FrameOptions) =>
  encodeFrame(OPCODE.continuation, Buffer.from(content), options);
const ping = (content: string) => encodeFrame(OPCODE.ping, Buffer.from(content));
const close = () => encodeFrame(OPCODE.close, Buffer.from([0x03, 0xe8]));

/** A reader with a limit of 1,000 bytes, and what came of it. */
class Reading {
  wantsAll = false;
  /** What was taken, `text:` or `binary:` and the content, and `left:` with the bytes in hex for what was not. */
  readonly log: string[] = [];
  readonly reader: FrameReader = new FrameReader(1000, this);

  take(bytes: Buffer): void {
    this.log.push(left(bytes));
  }

  read(...frames: Buffer[]): void {
    // A copy, as it is unmasked in place.
    this.reader.read(
      Buffer.concat(frames),
      handlers((message) => this.log.push(message)),
    );
  }
}

const left = (...frames: Buffer[]) => `left:${Buffer.concat(frames).toString("hex")}`;

function handlers(onMessage: (message: string) => void): WebSocketHandlers {
  return {
    onMessage: (data) =>
      onMessage(typeof data === "string" ? `text:${data}` : `binary:${data.toString("latin1")}`),
    onReadEnd() {},
    onAnswered() {},
    onDrain() {},
    onError() {},
    onClose() {},
  };
}

describe("frame reader of node:http", () => {
  let reading: Reading;

  beforeEach(() => {
    reading = new Reading();
  });

  describe("takes", () => {
    for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 1000]) {
      it(`text of ${length} bytes`, () => {
        const content = "abcde".repeat(200).slice(0, length);
        reading.read(text(content));
        assert.deepEqual(reading.log, [`text:${content}`]);
      });
    }

    it("binary", () => {
      reading.read(binary("\x00\x01"));
      assert.deepEqual(reading.log, ["binary:\x00\x01"]);
    });

    it("text of more than one byte per character", () => {
      reading.read(text("2é€😀"));
      assert.deepEqual(reading.log, ["text:2é€😀"]);
    });

    it("all messages of a chunk", () => {
      reading.read(text("a"), binary("b"), text("c"));
      assert.deepEqual(reading.log, ["text:a", "binary:b", "text:c"]);
    });
  });

  describe("leaves", () => {
    const tooLarge = text("x".repeat(1001));
    const cases: Record<string, Buffer> = {
      "a ping": ping("?"),
      "a message above the limit": tooLarge,
      "a message that is not masked": text("a", { masked: false }),
      "a message with a reserved bit": text("a", { rsv: 4 }),
      "text that is not UTF-8": encodeFrame(OPCODE.text, Buffer.from([0x61, 0xff, 0x62])),
      "text with a replacement character": text("a\ufffdb"),
      "a continuation": continuation("a"),
      "an opcode that does not exist": encodeFrame(3, Buffer.from("a")),
      "a length in eight bytes": encodeFrame(OPCODE.text, Buffer.alloc(65_536)),
    };
    for (const [name, frame] of Object.entries(cases)) {
      it(name, () => {
        reading.read(text("before"), frame);
        assert.deepEqual(reading.log, ["text:before", left(frame)]);
      });
    }

    it("what follows in the same chunk", () => {
      const frames = [ping(""), text("a")];
      reading.read(...frames);
      assert.deepEqual(reading.log, [left(...frames)]);
    });

    it("messages that another listener reads", () => {
      const frame = text("a");
      reading.wantsAll = true;
      reading.read(frame);
      assert.deepEqual(reading.log, [left(frame)]);
    });

    it("everything until the last fragment of a message", () => {
      const first = text("a", { fin: false });
      const between = ping("");
      const last = continuation("b");
      for (const frame of [first, between, last, text("c")]) reading.read(frame);
      assert.deepEqual(reading.log, [left(first), left(between), left(last), "text:c"]);
    });

    it("a message between the fragments of another, which is forbidden", () => {
      const first = text("a", { fin: false });
      const between = text("b");
      reading.read(first);
      reading.read(between);
      assert.deepEqual(reading.log, [left(first), left(between)]);
    });

    it("a message that arrives in pieces, wherever it is cut", () => {
      for (const frame of [text("abc"), text("d".repeat(200)), ping("e")]) {
        for (let cut = 1; cut < frame.length; cut++) {
          reading.log.length = 0;
          reading.read(frame.subarray(0, cut));
          reading.read(frame.subarray(cut));
          reading.read(text("next"));
          const pieces = [left(frame.subarray(0, cut)), left(frame.subarray(cut))];
          assert.deepEqual(reading.log, [...pieces, "text:next"], `cut at ${cut}`);
        }
      }
    });

    it("the rest of a head that looks like a message", () => {
      const frame = Buffer.from("81818000000061", "hex");
      reading.read(frame.subarray(0, 1));
      reading.read(frame.subarray(1));
      assert.deepEqual(reading.log, [left(frame.subarray(0, 1)), left(frame.subarray(1))]);
    });

    it("a head that arrives byte by byte", () => {
      const frame = encodeFrame(OPCODE.binary, Buffer.alloc(70_000));
      for (const byte of frame.subarray(0, 20)) reading.read(Buffer.from([byte]));
      reading.read(frame.subarray(20));
      reading.read(text("next"));
      assert.equal(reading.log.length, 22);
      assert.equal(reading.log.at(-1), "text:next");
    });

    it("the rest of a cut message with what follows it in its chunk", () => {
      const frame = text("abc");
      const next = text("next");
      reading.read(frame.subarray(0, 3));
      reading.read(frame.subarray(3), next);
      assert.deepEqual(reading.log, [left(frame.subarray(0, 3)), left(frame.subarray(3), next)]);
    });
  });

  it("reads nothing after a close frame", () => {
    const frame = close();
    reading.read(frame.subarray(0, 4));
    reading.read(frame.subarray(4));
    reading.read(text("late"));
    assert.deepEqual(reading.log, [left(frame.subarray(0, 4)), left(frame.subarray(4))]);
  });

  it("reads nothing after its end", () => {
    reading.reader.end();
    reading.read(text("late"));
    assert.deepEqual(reading.log, []);
  });

  it("reads with `ws` what `ws` reads alone", async () => {
    const payload = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 150 }).map((content) => Buffer.from(content)),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(0, 125, 126, 1000, 1001, 65_536).map((length) => Buffer.alloc(length, 0x61)),
    );
    const rare = <T>(usual: T, other: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
    const frame = fc
      .record({
        opcode: fc.oneof(
          { weight: 8, arbitrary: fc.constantFrom<number>(OPCODE.text, OPCODE.binary) },
          { weight: 3, arbitrary: fc.constantFrom<number>(OPCODE.continuation, OPCODE.ping) },
          { weight: 1, arbitrary: fc.nat(15) },
        ),
        payload,
        fin: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()),
        rsv: rare(0, fc.nat(7)),
        masked: rare(true, fc.constant(false)),
      })
      .map(({ opcode, payload: content, ...options }) => encodeFrame(opcode, content, options));
    const chunk = fc
      .tuple(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(300), { maxLength: 3 }))
      .map(([frames, sizes]) => cut(Buffer.concat(frames), sizes));

    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), async (chunks) => {
        assert.deepEqual(await together(chunks.flat()), await alone(chunks.flat()));
      }),
      { numRuns: 1000 },
    );
  }).timeout(60_000);
});

interface ReceiverOptions {
  isServer: boolean;
  maxPayload: number;
}

/** Not in the types of `ws`. */
const { Receiver } = createRequire(import.meta.url)("ws") as {
  Receiver: new (options: ReceiverOptions) => Writable;
};

/** A receiver of `ws` that notes what it hears. */
function receiver(log: string[]): Writable {
  const noted = new Receiver({ isServer: true, maxPayload: 1000 });
  const emitter: NodeJS.EventEmitter = noted;
  return emitter
    .on("message", (data: Buffer, isBinary: boolean) =>
      log.push(isBinary ? `binary:${data.toString("latin1")}` : `text:${data.toString()}`),
    )
    .on("ping", (data: Buffer) => log.push(`ping:${data.toString("latin1")}`))
    .on("pong", (data: Buffer) => log.push(`pong:${data.toString("latin1")}`))
    .on("conclude", (code: number) => log.push(`close:${code}`))
    .on("error", (error: Error) => log.push(`error:${error.message}`)) as Writable;
}

/** As `ws` does: nothing is read any more after a close frame or an error. */
const isOver = (log: readonly string[]) => /^(close|error):/.test(log.at(-1) ?? "");

async function alone(chunks: readonly Buffer[]): Promise<string[]> {
  const log: string[] = [];
  const stream = receiver(log);
  for (const chunk of chunks) {
    if (!isOver(log)) stream.write(Buffer.from(chunk));
    await turn();
  }
  return log;
}

async function together(chunks: readonly Buffer[]): Promise<string[]> {
  const log: string[] = [];
  const stream = receiver(log);
  const reader = new FrameReader(1000, {
    wantsAll: false,
    take: (bytes) => void stream.write(bytes),
  });
  stream.on("error", () => reader.end());
  const noted = handlers((message) => log.push(message));
  for (const chunk of chunks) {
    reader.read(Buffer.from(chunk), noted);
    await turn();
  }
  return log;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at < bytes.length && size > 0) chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) chunks.push(bytes.subarray(at));
  return chunks;
}
