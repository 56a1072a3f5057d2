import assert from "node:assert/strict";
import { defaultParser, PacketType } from "@tidewire/parser";
import type { Parser } from "@tidewire/parser";
import * as msgpack from "socket.io-msgpack-parser";
import {
  decodePacket,
  decodeValues,
  encodeValues,
  endWithPacket,
  readPacket,
  readTarget,
  writeTarget,
} from "../../src/broadcasting/wire.ts";
import { LinkError } from "../../src/errors.ts";
import type { Part } from "../../src/link/link.ts";
import { PayloadReader } from "../../src/link/reader.ts";
import { PayloadWriter } from "../../src/link/writer.ts";

/** What a link makes of the parts. */
function joined(parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

describe("the wire of broadcasting", () => {
  it("carries targets", () => {
    for (const flags of [
      {},
      { volatile: true },
      { compress: true },
      { compress: false, volatile: true },
      { conflate: "é" },
    ]) {
      const target = { rooms: new Set(["é", ""]), except: new Set(["x"]), flags };
      const writer = new PayloadWriter().begin();
      writeTarget(writer, target);
      assert.deepEqual(readTarget(new PayloadReader(writer.end())), target);
    }
  });

  const packets: [string, unknown[]][] = [
    ["one text", ['2["é"]']],
    ["a text with bytes of several kinds", ["52-[]", Buffer.from([1]), new Uint8Array([2, 3]).buffer]],
    ["bytes alone", [new Uint8Array([1, 2])]],
    ["nothing", []],
  ];
  for (const [name, encoded] of packets) {
    it(`carries encoded packets: ${name}`, () => {
      const payload = joined(endWithPacket(new PayloadWriter().begin(), encoded));
      const parts = encoded.map((part) =>
        typeof part === "string" ? part : Buffer.from(part as Uint8Array),
      );
      assert.deepEqual(readPacket(new PayloadReader(payload)), parts);
    });
  }

  it("refuses a packet that ends too early", () => {
    const payload = joined(endWithPacket(new PayloadWriter().begin(), ["51-[]", Buffer.from([1, 2])]));
    for (let length = 0; length < payload.length; length++) {
      assert.throws(() => readPacket(new PayloadReader(payload.subarray(0, length))), LinkError);
    }
  });

  for (const [name, parser] of [
    ["this project", defaultParser],
    ["socket.io-msgpack-parser", msgpack as unknown as Parser],
  ] as const) {
    it(`decodes packets of the parser of ${name}, more and deeper than a client may send`, () => {
      let deep: unknown = 0;
      for (let n = 0; n < 400; n++) deep = [deep];
      const data = ["x", deep, ...Array.from({ length: 20 }, (_, n) => Buffer.from([n]))];
      const encoded = new parser.Encoder().encode({ type: PacketType.EVENT, nsp: "/a", data });
      const parts = readPacket(
        new PayloadReader(joined(endWithPacket(new PayloadWriter().begin(), encoded))),
      );
      assert.deepEqual(decodePacket(parser, parts).data, data);
    });
  }

  it("carries values as JSON with bytes", () => {
    const values = [1, undefined, { a: Buffer.from([1]), b: new Date(0), c: () => {} }];
    const payload = joined(endWithPacket(new PayloadWriter().begin(), encodeValues(values)));
    assert.deepEqual(decodeValues(readPacket(new PayloadReader(payload))), [
      1,
      null,
      { a: Buffer.from([1]), b: "1970-01-01T00:00:00.000Z" },
    ]);
  });
});
