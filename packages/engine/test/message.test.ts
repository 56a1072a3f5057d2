import assert from "node:assert/strict";
import { engineCodecV3, engineCodecV4 } from "@tidewire/parser";
import type { EngineCodec } from "@tidewire/parser";
import { Message, NOOP, OutgoingPacket, PING, PONG, PROBE_PONG, toData } from "../src/protocol/packet.ts";

/** Counts how often it encodes. */
function counting(codec: EngineCodec): EngineCodec & { count: number } {
  const counted = Object.assign(Object.create(codec) as EngineCodec, { count: 0 });
  counted.encodePacket = (packet, supportsBinary) => {
    counted.count++;
    return codec.encodePacket(packet, supportsBinary);
  };
  return counted;
}

describe("outgoing message", () => {
  it("is a string for its first receiver", () => {
    assert.equal(new Message("a€").frame(engineCodecV4, true), "4a€");
  });

  it("is the same bytes for every receiver after the first", () => {
    const message = new Message("a€");
    message.frame(engineCodecV4, true);
    const second = message.frame(engineCodecV4, true);
    assert.deepEqual(second, Buffer.from("4a€"));
    assert.equal(message.frame(engineCodecV4, true), second);
  });

  it("is encoded once for a thousand receivers", () => {
    const codec = counting(engineCodecV4);
    const message = new Message("a");
    for (let count = 0; count < 1000; count++) message.frame(codec, true);
    assert.equal(codec.count, 1);
  });

  it("is a text frame for every receiver when its data is text", () => {
    const message = new Message("a");
    message.frame(engineCodecV4, true);
    message.frame(engineCodecV4, true);
    assert.equal(message.binary, false);
  });

  it("is the data itself when it is binary, in v4", () => {
    const data = Buffer.from([1, 2]);
    const message = new Message(data);
    assert.equal(message.binary, true);
    assert.equal(message.frame(engineCodecV4, true), data);
    assert.equal(message.frame(engineCodecV4, true), data);
  });

  it("is base64 for a receiver without binary, and a frame for the others", () => {
    const message = new Message(Buffer.from([1, 2]));
    assert.equal(message.frame(engineCodecV4, false), "bAQI=");
    assert.deepEqual(message.frame(engineCodecV4, true), Buffer.from([1, 2]));
    assert.equal(message.frame(engineCodecV4, false), "bAQI=");
  });

  it("has a form for each protocol", () => {
    const message = new Message(Buffer.from([1, 2]));
    assert.deepEqual(message.frame(engineCodecV4, true), Buffer.from([1, 2]));
    assert.deepEqual(message.frame(engineCodecV3, true), Buffer.from([4, 1, 2]));
    assert.deepEqual(message.frame(engineCodecV4, true), Buffer.from([1, 2]));
    assert.equal(message.frame(engineCodecV3, false), "b4AQI=");
  });

  it("is encoded once for each protocol, however its receivers alternate", () => {
    const codecs = [counting(engineCodecV4), counting(engineCodecV3)];
    const message = new Message("a");
    for (let count = 0; count < 1000; count++) message.frame(codecs[count % 2]!, true);
    assert.deepEqual(
      codecs.map(({ count }) => count),
      [1, 1],
    );
  });

  it("counts its data in bytes", () => {
    assert.equal(new Message("€").byteLength, 3);
    assert.equal(new Message(Buffer.alloc(5)).byteLength, 5);
    assert.equal(new OutgoingPacket("ping").byteLength, 0);
  });

  it("is compressed by default", () => {
    assert.equal(new Message("a").options.compress, true);
    assert.equal(new Message("a", { compress: false }).options.compress, false);
  });

  it("accepts any kind of binary without a copy", () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    assert.deepEqual(toData(bytes.buffer), Buffer.from([1, 2, 3, 4]));
    const view = toData(bytes.subarray(1, 3));
    assert.deepEqual(view, Buffer.from([2, 3]));
    bytes[1] = 9;
    assert.deepEqual(view, Buffer.from([9, 3]));
  });

  it("converts other values to text", () => {
    assert.equal(toData(12), "12");
    assert.equal(toData("a"), "a");
  });
});

describe("control packets", () => {
  for (const [name, packet, frame] of [
    ["ping", PING, "2"],
    ["pong", PONG, "3"],
    ["probe's pong", PROBE_PONG, "3probe"],
    ["noop", NOOP, "6"],
  ] as const) {
    it(`write ${frame} for ${name}, for one receiver and for many`, () => {
      for (let count = 0; count < 3; count++) assert.equal(String(packet.frame(engineCodecV4, true)), frame);
      assert.equal(String(packet.frame(engineCodecV3, true)), frame);
    });
  }
});
