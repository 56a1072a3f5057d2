import assert from "node:assert/strict";
import fc from "fast-check";
import { engineCodecV3, engineCodecV4, enginePacketTypes } from "@tidewire/parser";
import type { EngineCodec, EnginePacket } from "@tidewire/parser";
import { mutatedBytes, mutatedText, MUTATIONS } from "./mutate.ts";
import { engineOracleV3, engineOracleV4 } from "./oracles.ts";
import type { EngineOracle } from "./oracles.ts";
import { assertSame, itShowsDifferences } from "./outcome.ts";
import type { Difference, Outcome } from "./outcome.ts";

type Wire = string | Buffer;

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const type = fc.constantFrom(...enginePacketTypes);
const plain = { noNullPrototype: true };
const textPacket = fc.oneof(
  fc.record({ type }, plain),
  fc.record({ type, data: text.filter((data) => data !== "") }, plain),
);
const binaryPacket = fc.record({ type: fc.constant("message" as const), data: bytes }, plain);
const packet: fc.Arbitrary<EnginePacket> = fc.oneof(textPacket, binaryPacket);
// U+001E in text would end the packet in v4, on both sides.
const payloadPacket = packet.filter(({ data }) => typeof data !== "string" || !data.includes("\x1e"));
const payload = fc.array(payloadPacket, { minLength: 1, maxLength: 6 });

const hasUnknownType = ({ result }: Outcome): boolean =>
  result !== undefined && [result].flat().some((decoded) => (decoded as EnginePacket).type === undefined);

const unknownType: Difference<Wire> = {
  what: "binary of no known type is refused",
  why: "the official parser yields a packet whose type is undefined, which nobody handles",
  covers: (_wire, ours, theirs) => ours.refused !== undefined && hasUnknownType(theirs),
  examples: ["b", "b9AQ==", Buffer.from([]), Buffer.from([7, 1])],
};

/** Whether one of the lengths, read as the official parser reads them, is more or less than digits. */
function hasOddLength(payload: string): boolean {
  for (let at = 0; at < payload.length;) {
    const colon = payload.indexOf(":", at);
    const length = payload.slice(at, colon);
    if (colon === -1 || !/^\d+$/.test(length)) {
      return colon !== -1;
    }
    at = colon + 1 + Number(length);
  }
  return false;
}

const v3PayloadDifferences: Difference<Wire>[] = [
  {
    ...unknownType,
    examples: ["1:b", "6:b9AQ==", Buffer.from([1, 0, 255]), Buffer.from([1, 2, 255, 7, 1])],
  },
  {
    what: "a length is written in digits alone",
    why: "the official parser takes whatever JavaScript turns into the number, blanks and signs included",
    covers: (wire, { code }) =>
      typeof wire === "string" && code === "ILLEGAL_PAYLOAD_LENGTH" && hasOddLength(wire),
    examples: ["+1:2", "1.0:2", "1e0:2", "0x1:2", " 1:2", " :"],
  },
  {
    what: "a binary payload that is cut off, or whose lengths are not digits, is refused",
    why: "the official parser delivers what is there of the packet, or reads on at the wrong place",
    covers: (wire, { code }) => typeof wire !== "string" && code === "ILLEGAL_PAYLOAD_LENGTH",
    examples: [
      Buffer.from([0, 5, 255, 0x34, 0x61]),
      Buffer.from([0, 255, 0x34]),
      Buffer.from([0, 10, 255, 0x32]),
    ],
  },
  {
    what: "text in a binary payload is UTF-8, without surrogates, in base64 too",
    why: "the official decoder makes U+FFFD of a surrogate and skips what is no base64; no client writes either",
    covers: (wire, { code }) =>
      typeof wire !== "string" && code === "ILLEGAL_UTF8" && (wire.includes(0xed) || wire.includes("b")),
    examples: [
      Buffer.from([0, 4, 255, 0x34, 0xed, 0xa0, 0x80]),
      Buffer.concat([Buffer.from([0, 7, 255]), Buffer.from("b4AQ=="), Buffer.from([0xff])]),
    ],
  },
];

interface Line {
  readonly name: string;
  readonly ours: EngineCodec;
  readonly theirs: EngineOracle;
  readonly frameDifferences: readonly Difference<Wire>[];
  readonly payloadDifferences: readonly Difference<Wire>[];
}

const lines: Line[] = [
  {
    name: "Engine.IO v4 and engine.io-parser",
    ours: engineCodecV4,
    theirs: engineOracleV4,
    frameDifferences: [],
    payloadDifferences: [],
  },
  {
    name: "Engine.IO v3 and engine.io-parser@2",
    ours: engineCodecV3,
    theirs: engineOracleV3,
    frameDifferences: [unknownType],
    payloadDifferences: v3PayloadDifferences,
  },
];

for (const { name, ours, theirs, frameDifferences, payloadDifferences } of lines) {
  describe(name, () => {
    const readFrame = (frame: Wire): EnginePacket => ours.decodePacket(frame);
    const readPayload = (body: Wire): EnginePacket[] => [...ours.decodePayload(body)];

    for (const binary of [true, false]) {
      const form = binary ? "with binary" : "in text alone";

      it(`write the same frame ${form}, and read each other's`, () => {
        fc.assert(
          fc.property(packet, (sent) => {
            const frame = ours.encodePacket(sent, binary);
            assert.deepEqual(frame, theirs.encodePacket(sent, binary));
            assert.deepEqual(ours.decodePacket(frame), sent);
            assert.deepEqual(theirs.decodePacket(frame), sent);
          }),
          { numRuns: 500 },
        );
      });

      it(`write the same payload ${form}, and read each other's`, () => {
        fc.assert(
          fc.property(payload, (sent) => {
            const body = ours.encodePayload(sent, binary);
            assert.deepEqual(body, theirs.encodePayload(sent, binary));
            assert.deepEqual([...ours.decodePayload(body)], sent);
            assert.deepEqual(theirs.decodePayload(body), sent);
          }),
          { numRuns: 500 },
        );
      });
    }

    it("write nothing the same way", () => {
      assert.equal(ours.encodePayload([], false), theirs.encodePayload([], false));
    });

    const textFrame = packet.map((sent) => String(theirs.encodePacket(sent, false)));
    const binaryFrame = binaryPacket.map((sent) => Buffer.from(theirs.encodePacket(sent, true)));
    const textPayload = payload.map((sent) => String(theirs.encodePayload(sent, false)));
    // In v4 the payload is text either way; in v3 only packets of which one is binary make a binary payload.
    const binaryPayload = fc
      .tuple(payload, binaryPacket)
      .map(([sent, last]) => Buffer.from(theirs.encodePayload([...sent, last], true)));

    it("agree on mutated frames", () => {
      const wire: fc.Arbitrary<Wire> = fc.oneof(mutatedText(textFrame), mutatedBytes(binaryFrame));
      fc.assert(
        fc.property(wire, (frame) => assertSame(frame, readFrame, theirs.decodePacket, frameDifferences)),
        { numRuns: MUTATIONS },
      );
    });

    it("agree on mutated payloads", () => {
      const wire: fc.Arbitrary<Wire> = fc.oneof(mutatedText(textPayload), mutatedBytes(binaryPayload));
      fc.assert(
        fc.property(wire, (body) => assertSame(body, readPayload, theirs.decodePayload, payloadDifferences)),
        { numRuns: MUTATIONS },
      );
    });

    describe("frames", () => itShowsDifferences(frameDifferences, readFrame, theirs.decodePacket));
    describe("payloads", () => itShowsDifferences(payloadDifferences, readPayload, theirs.decodePayload));
  });
}
