import assert from "node:assert/strict";
import { encodeStreamFrames, StreamFrameDecoder } from "@tidewire/parser";
import { createPacketDecoderStream, createPacketEncoderStream } from "engine.io-parser";
import fc from "fast-check";
import { rejects } from "./rejects.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const decode = (decoder: StreamFrameDecoder, ...chunks: Uint8Array[]): (string | Buffer)[] =>
  chunks.flatMap((chunk) => [...decoder.add(chunk)]);
const encode = (frames: (string | Buffer)[]): Buffer =>
  encodeStreamFrames(frames.map((content) => ({ content, binary: typeof content !== "string" })));
const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

describe("Engine.IO frames on a byte stream", () => {
  const cases: { name: string; frames: (string | Buffer)[]; bytes: Buffer }[] = [
    { name: "an open packet without data", frames: ["0"], bytes: hex("01 30") },
    { name: "a message", frames: ["4hi"], bytes: hex("03 346869") },
    { name: "text beyond ASCII, counted in bytes", frames: ["4€"], bytes: hex("04 34e282ac") },
    { name: "binary, with the flag", frames: [hex("010203")], bytes: hex("83 010203") },
    { name: "several frames", frames: ["2", hex("ff"), "3"], bytes: hex("01 32 81 ff 01 33") },
    { name: "125 bytes", frames: ["4".repeat(125)], bytes: Buffer.from(`\x7d${"4".repeat(125)}`) },
    {
      name: "126 bytes, a length of two bytes",
      frames: ["4".repeat(126)],
      bytes: Buffer.concat([hex("7e 007e"), Buffer.alloc(126, "4")]),
    },
    {
      name: "65,535 bytes of binary",
      frames: [Buffer.alloc(65_535, 7)],
      bytes: Buffer.concat([hex("fe ffff"), Buffer.alloc(65_535, 7)]),
    },
    {
      name: "65,536 bytes, a length of eight bytes",
      frames: ["4".repeat(65_536)],
      bytes: Buffer.concat([hex("7f 0000000000010000"), Buffer.alloc(65_536, "4")]),
    },
  ];
  for (const { name, frames, bytes } of cases) {
    it(`${name}: encoded`, () => assert.deepEqual(encode(frames), bytes));
    it(`${name}: decoded whole`, () =>
      assert.deepEqual(decode(new StreamFrameDecoder(100_000), bytes), frames));
    it(`${name}: decoded byte by byte`, () =>
      assert.deepEqual(decode(new StreamFrameDecoder(100_000), ...byteByByte(bytes)), frames));
  }

  it("no frames encode to no bytes", () => assert.deepEqual(encode([]), Buffer.alloc(0)));

  it("empty binary is sent as base64, because a length of 0 is malformed", () => {
    assert.deepEqual(encode([Buffer.alloc(0)]), hex("01 62"));
  });

  it("text may be given as UTF-8 bytes", () => {
    const content = Buffer.from("4€");
    assert.deepEqual(encodeStreamFrames([{ content, binary: false }]), hex("04 34e282ac"));
  });

  it("encodes into its own memory, which a stream may transfer", () => {
    const bytes = encode(["4hi"]);
    assert.equal(bytes.buffer.byteLength, bytes.length);
  });

  it("returns binary of one chunk as a view of it", () => {
    const bytes = hex("83 010203");
    const [frame] = decode(new StreamFrameDecoder(10), bytes);
    bytes[1] = 9;
    assert.deepEqual(frame, hex("090203"));
  });

  it("accepts the long form of a short length, as the official decoder does", () => {
    assert.deepEqual(decode(new StreamFrameDecoder(10), hex("7e 0001 32")), ["2"]);
    assert.deepEqual(decode(new StreamFrameDecoder(10), hex("7f 0000000000000001 32")), ["2"]);
  });

  it("keeps a byte order mark, which is not a packet type", () => {
    assert.deepEqual(decode(new StreamFrameDecoder(10), hex("04 efbbbf34")), ["\ufeff4"]);
  });

  const malformed: {
    name: string;
    bytes: string;
    code: "EMPTY_PACKET" | "PAYLOAD_TOO_LARGE" | "ILLEGAL_UTF8";
  }[] = [
    { name: "a length of 0", bytes: "00", code: "EMPTY_PACKET" },
    { name: "a binary length of 0", bytes: "80", code: "EMPTY_PACKET" },
    { name: "a long length of 0", bytes: "7e 0000", code: "EMPTY_PACKET" },
    { name: "a length past the limit", bytes: "0b", code: "PAYLOAD_TOO_LARGE" },
    { name: "a length of two bytes past the limit", bytes: "7e 0080", code: "PAYLOAD_TOO_LARGE" },
    {
      name: "a length of eight bytes past the limit",
      bytes: "ff 0000000000010000",
      code: "PAYLOAD_TOO_LARGE",
    },
    { name: "a length past 2^53", bytes: "7f ffffffffffffffff", code: "PAYLOAD_TOO_LARGE" },
    { name: "text that is not UTF-8", bytes: "02 34ff", code: "ILLEGAL_UTF8" },
  ];
  for (const { name, bytes, code } of malformed) {
    it(`refuses ${name}, whole`, () => rejects(() => decode(new StreamFrameDecoder(10), hex(bytes)), code));
    it(`refuses ${name}, byte by byte`, () =>
      rejects(() => decode(new StreamFrameDecoder(10), ...byteByByte(hex(bytes))), code));
  }

  it("takes a frame of exactly the limit", () => {
    assert.deepEqual(decode(new StreamFrameDecoder(3), hex("03 346869")), ["4hi"]);
  });

  it("gives the frames before a malformed one", () => {
    const frames = new StreamFrameDecoder(10).add(hex("01 32 00"));
    assert.equal(frames.next().value, "2");
    rejects(() => frames.next(), "EMPTY_PACKET");
  });

  it("holds memory for what has come, not for what was announced", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 100 }, () => new StreamFrameDecoder(100_000_000));
    for (const decoder of decoders) decode(decoder, hex("7f 0000000005f5e100 34"));
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  });

  describe("and the official parser", () => {
    const frame = fc.oneof(
      fc
        .tuple(fc.constantFrom("0", "2", "3", "4", "5", "6"), fc.string({ unit: "grapheme", maxLength: 300 }))
        .map((parts) => parts.join("")),
      fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );

    it("reads what we write", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 5 }), async (frames) => {
          const stream = createPacketDecoderStream(1e6, "nodebuffer");
          const writer = stream.writable.getWriter();
          const written = writer.write(encode(frames)).then(() => writer.close());
          const packets: unknown[] = [];
          for await (const packet of stream.readable) packets.push(packet);
          await written;
          assert.deepEqual(packets, frames.map(officialPacket));
        }),
        { numRuns: 100 },
      );
    });

    it("writes what we read, in any chunks", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(frame, { minLength: 1, maxLength: 5 }),
          fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
          async (frames, sizes) => {
            const stream = createPacketEncoderStream();
            const writer = stream.writable.getWriter();
            const written = Promise.all(frames.map((each) => writer.write(officialPacket(each)))).then(() =>
              writer.close(),
            );
            const chunks: Uint8Array[] = [];
            for await (const chunk of stream.readable) chunks.push(chunk as Uint8Array);
            await written;
            const decoder = new StreamFrameDecoder(1e6);
            assert.deepEqual(decode(decoder, ...cut(Buffer.concat(chunks), sizes)), frames);
          },
        ),
        { numRuns: 100 },
      );
    });
  });
});

const TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

/** The packet that the official parser makes of a frame. */
function officialPacket(frame: string | Buffer): { type: (typeof TYPES)[number]; data?: string | Buffer } {
  if (typeof frame !== "string") return { type: "message", data: frame };
  const type = TYPES[Number(frame[0])]!;
  return frame.length > 1 ? { type, data: frame.slice(1) } : { type };
}

/** The bytes in chunks of these sizes, again and again. */
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
