import assert from "node:assert/strict";
import { FrameReader, FrameWriter } from "../src/link/frames.ts";
import { PayloadReader } from "../src/link/reader.ts";
import { PayloadWriter } from "../src/link/writer.ts";

/** Reads all frames of the chunks, with copies of their payloads. */
function readAll(chunks: Iterable<Uint8Array>): [kind: number, stream: number, payload: Buffer][] {
  const reader = new FrameReader();
  const frames: [number, number, Buffer][] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk));
    while (reader.next()) frames.push([reader.kind, reader.stream, Buffer.from(reader.payload)]);
  }
  return frames;
}

describe("frames", () => {
  it("are a length, a kind, a stream and a payload", () => {
    const writer = new FrameWriter();
    writer.add(16, 0x01020304, ["é", Buffer.from([0xff]), "x"]);
    assert.equal(Buffer.concat(writer.take()).toString("hex"), "00000004" + "10" + "01020304" + "c3a9ff78");
  });

  it("are collected in one chunk, until they are taken", () => {
    const writer = new FrameWriter();
    writer.add(16, 1, ["a"]);
    writer.add(17, 1, ["b"]);
    assert.equal(writer.length, 20);
    const chunks = writer.take();
    assert.equal(chunks.length, 1);
    assert.equal(writer.length, 0);
    writer.add(18, 1, ["c"]);
    assert.deepEqual(
      readAll([...chunks, ...writer.take()]).map(([kind, , payload]) => `${kind}${payload.toString()}`),
      ["16a", "17b", "18c"],
    );
  });

  it("reuse the memory of the last write, if it is recycled", () => {
    const writer = new FrameWriter();
    writer.add(16, 1, ["a"]);
    const [first] = writer.take();
    writer.recycle();
    writer.add(16, 1, ["b"]);
    const [second] = writer.take();
    assert.equal(first!.buffer, second!.buffer);
    assert.equal(first!.byteOffset, second!.byteOffset);
  });

  it("arrive whole, wherever the chunks end", () => {
    const writer = new FrameWriter();
    const sizes = [0, 1, 300, 5000, 70_000, 2, 20_000, 20_000, 20_000, 20_000];
    for (const [index, size] of sizes.entries()) writer.add(16 + index, index, [Buffer.alloc(size, index)]);
    const bytes = Buffer.concat(writer.take());
    for (const step of [1, 7, 9, 10, 4096, 65_536, bytes.length]) {
      const chunks = [];
      for (let at = 0; at < bytes.length; at += step) chunks.push(bytes.subarray(at, at + step));
      const frames = readAll(chunks);
      assert.deepEqual(
        frames.map(([kind, stream, payload]) => [kind, stream, payload.length]),
        sizes.map((size, index) => [16 + index, index, size]),
      );
      for (const [, stream, payload] of frames) assert.ok(payload.every((byte) => byte === stream));
    }
  });

  it("with too long a payload are an error", () => {
    const reader = new FrameReader();
    reader.push(Buffer.from("ffffffff1000000000", "hex"));
    assert.throws(() => reader.next(), { code: "MALFORMED" });
  });
});

describe("payloads", () => {
  it("are read as they were written", () => {
    const writer = new PayloadWriter();
    const long = "ü".repeat(3000);
    const payload = writer.begin().u8(255).u32(0xffff_ffff).f64(1.5).text("é").text("").text(long);
    const rest = Buffer.from("rest");
    const end = payload
      .texts(["a", "ß"])
      .bytes(Buffer.from([1, 2]))
      .end();
    const reader = new PayloadReader(Buffer.concat([end, rest]));
    assert.deepEqual(
      [reader.u8(), reader.u32(), reader.f64(), reader.text(), reader.text(), reader.text()],
      [255, 0xffff_ffff, 1.5, "é", "", long],
    );
    assert.deepEqual(reader.texts(), ["a", "ß"]);
    assert.deepEqual(reader.bytes(), Buffer.from([1, 2]));
    assert.deepEqual(reader.rest(), rest);
    assert.deepEqual(new PayloadReader(writer.begin().u8(1).end()).u8(), 1);
  });

  it("that end too early are an error", () => {
    const cases: ((reader: PayloadReader) => unknown)[] = [
      (reader) => reader.u32(),
      (reader) => reader.f64(),
      (reader) => [reader.u8(), reader.u8(), reader.u8(), reader.u8()],
    ];
    for (const read of cases) {
      assert.throws(() => read(new PayloadReader(Buffer.from([0, 0, 1]))), { code: "MALFORMED" });
    }
    const tooShort = Buffer.from([0, 0, 0, 2, 97]);
    assert.throws(() => new PayloadReader(tooShort).text(), { code: "MALFORMED" });
    assert.throws(() => new PayloadReader(tooShort).bytes(), { code: "MALFORMED" });
    assert.throws(() => new PayloadReader(Buffer.from("ffffffff", "hex")).texts(), { code: "MALFORMED" });
  });
});
