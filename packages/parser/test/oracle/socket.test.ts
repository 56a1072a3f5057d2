import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodePacket,
  hasBinary,
  PacketDecoder,
  PacketType,
  payloadRulesV4,
  payloadRulesV5,
  toBuffer,
} from "@tidewire/parser";
import type { Binary, Packet, PayloadRules } from "@tidewire/parser";
import { mutatedText, MUTATIONS } from "./mutate.ts";
import { socketOracleV4, socketOracleV5 } from "./oracles.ts";
import type { SocketOracle } from "./oracles.ts";
import { assertSame, itShowsDifferences } from "./outcome.ts";
import type { Difference } from "./outcome.ts";

const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK } = PacketType;
const plain = { noNullPrototype: true };

// Neither an own `__proto__`, which the official encoder loses beside binary data, nor a `toJSON`, nor what is
// taken for a placeholder: the unit tests have those.
const key = fc
  .string({ maxLength: 8 })
  .filter((name) => !["__proto__", "toJSON", "_placeholder"].includes(name));
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(key, tie("json"), { maxKeys: 4, ...plain }),
  ),
}));
const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array));
const { mixed } = fc.letrec((tie) => ({
  mixed: fc.oneof(
    { depthSize: "small" },
    fc.oneof(text, fc.integer(), bytes),
    fc.array(tie("mixed"), { maxLength: 4 }),
    fc.dictionary(key, tie("mixed"), { maxKeys: 4, ...plain }),
  ),
}));
const object = fc.dictionary(key, json, { maxKeys: 4, ...plain });

const nsp = fc.constantFrom("/", "/admin", "/a/b", "/x1", "/admin?token=1&b=c");
const id = fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER));
const reserved = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
const name = fc.oneof(
  text.filter((event) => !reserved.includes(event)),
  fc.nat(),
);
const upTo10 = (data: unknown[]): boolean => countBinary(data) <= 10;
const event = fc.tuple(name, mixed, mixed).filter(upTo10);
const args = fc.array(mixed, { maxLength: 3 }).filter(upTo10);

function countBinary(value: unknown): number {
  if (typeof value !== "object" || value === null) {
    return 0;
  }
  return Buffer.isBuffer(value)
    ? 1
    : Object.values(value).reduce<number>((sum, field) => sum + countBinary(field), 0);
}

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ type: fc.constant(CONNECT), nsp }, plain),
  fc.record({ type: fc.constant(CONNECT), nsp, data: object }, plain),
  fc.record({ type: fc.constant(DISCONNECT), nsp }, plain),
  fc.record({ type: fc.constant(EVENT), nsp, data: event }, plain),
  fc.record({ type: fc.constant(EVENT), nsp, id, data: event }, plain),
  fc.record({ type: fc.constant(ACK), nsp, id, data: args }, plain),
  fc.record({ type: fc.constant(CONNECT_ERROR), nsp, data: fc.oneof(text, object) }, plain),
);

type Wire = (string | Buffer)[];

function decode(rules: PayloadRules, chunks: Wire): Packet[] {
  const decoder = new PacketDecoder({ rules });
  return chunks.flatMap((chunk) => decoder.add(chunk) ?? []);
}

/** Everything before the JSON. */
const HEADER = /^\d(\d+-)?(\/[^,]*(,|$))?/;

const differences: Difference<Wire>[] = [
  {
    what: "a packet starts with a digit",
    why: "the official decoder takes nothing, and a blank, for a 0",
    covers: ([first], { code }) => code === "UNKNOWN_PACKET_TYPE" && /^(\s|$)/.test(String(first)),
    examples: [[""], [" "], ["\n{}"]],
  },
  {
    what: "a count of attachments is written in digits alone",
    why: "the official decoder takes whatever JavaScript turns into the number, blanks, signs and exponents included",
    covers: ([first], { code }) => code === "ILLEGAL_ATTACHMENTS" && /^[56]\d*[^\d-]/.test(String(first)),
    examples: [['51.0-["a"]'], ['5 1-["a"]'], ['5+1-["a"]'], ['50x1-["a"]']],
  },
  {
    what: "a blank is no id, nor part of one",
    why: 'the official decoder takes it for a 0: ` ["a"]` would ask for an acknowledgement',
    covers: ([first]) => /^\d*\s/.test(String(first).replace(HEADER, "")),
    examples: [['2 ["a"]'], ['2 1["a"]'], ['21 2["a"]']],
  },
  {
    what: "an id above 2^53 - 1 is refused",
    why: "the official decoder rounds it, so the acknowledgement never arrives at its event",
    covers: (_wire, { code }) => code === "ILLEGAL_ID",
    examples: [['29007199254740993["a"]'], ["2" + "9".repeat(400) + '["a"]']],
  },
  {
    what: "a placeholder has a whole number",
    why: "the official decoder puts undefined in the place of 0.5",
    covers: (wire, { code }) =>
      code === "ILLEGAL_PLACEHOLDER" && /"num"\s*:\s*[\d.eE+-]*[.eE]/.test(String(wire[0])),
    examples: [['51-["a",{"_placeholder":true,"num":0.5}]', Buffer.from([1])]],
  },
];

interface Line {
  readonly name: string;
  readonly rules: PayloadRules;
  readonly theirs: SocketOracle;
  /** How a packet is given to their encoder. */
  readonly forThem: (packet: Packet) => Packet;
}

const lines: Line[] = [
  {
    name: "Socket.IO protocol v5 and socket.io-parser",
    rules: payloadRulesV5,
    theirs: socketOracleV5,
    forThem: (sent) => sent,
  },
  {
    name: "Socket.IO protocol v4 and socket.io-parser@3",
    rules: payloadRulesV4,
    theirs: socketOracleV4,
    forThem(sent) {
      const binaryType = sent.type === EVENT ? BINARY_EVENT : BINARY_ACK;
      return hasBinary(sent.data) ? { ...sent, type: binaryType } : sent;
    },
  },
];

const asBytes = (chunk: unknown): unknown => (typeof chunk === "string" ? chunk : toBuffer(chunk as Binary));

for (const { name, rules, theirs, forThem } of lines) {
  describe(name, () => {
    it("write the same messages, and read each other's", () => {
      fc.assert(
        fc.property(packet, (sent) => {
          const wire = encodePacket(sent);
          assert.deepEqual(wire, theirs.encode(forThem(sent)).map(asBytes));
          assert.deepEqual(decode(rules, wire), [sent]);
          assert.deepEqual(theirs.decode(wire), [sent]);
        }),
        { numRuns: 1000 },
      );
    });

    it("read the same when packets follow each other in one decoder", () => {
      fc.assert(
        fc.property(fc.array(packet, { maxLength: 5 }), (sent) => {
          const wire = sent.flatMap((each) => encodePacket(each));
          assert.deepEqual(decode(rules, wire), theirs.decode(wire));
        }),
        { numRuns: 200 },
      );
    });

    const wire: fc.Arbitrary<Wire> = fc
      .tuple(packet, fc.integer({ min: -1, max: 1 }))
      .chain(([sent, more]) => {
        const [first, ...attachments] = encodePacket(sent);
        const others =
          more < 0 ? attachments.slice(1) : more > 0 ? [...attachments, Buffer.from([1])] : attachments;
        return mutatedText(fc.constant(String(first))).map((changed): Wire => [changed, ...others]);
      });

    it("agree on mutated messages, with an attachment more or less", () => {
      fc.assert(
        fc.property(wire, (chunks) =>
          assertSame(chunks, (input) => decode(rules, input), theirs.decode, differences),
        ),
        { numRuns: MUTATIONS },
      );
    });

    it("agree on any short text of the characters that matter", () => {
      const short = fc.string({ unit: fc.constantFrom(...Array.from('0123456-/,[]{}" 9.ea')), maxLength: 8 });
      fc.assert(
        fc.property(short, (first) =>
          assertSame([first], (input) => decode(rules, input), theirs.decode, differences),
        ),
        { numRuns: MUTATIONS },
      );
    });

    itShowsDifferences(differences, (chunks) => decode(rules, chunks), theirs.decode);
  });
}
