// Real frames, broken at random. Nothing may hang, throw anything but ParseError, or yield more than the limits
// allow. A failure prints its seed; FUZZ_SEED repeats it, FUZZ_RUNS makes a longer run.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { engineCodecV3, engineCodecV4, PacketDecoder, ParseError, payloadRulesV4 } from "@tidewire/parser";
import type { EngineCodec, EnginePacket } from "@tidewire/parser";

const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const runs = Number(process.env["FUZZ_RUNS"] ?? 10_000);

type Wire = string | Buffer;

/** mulberry32: a number in [0, 1) from a 32-bit state. */
function generator(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const real = {
  frames: [
    '0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1e6}',
    "2probe",
    "3probe",
    "6",
    '42["hello",1,"2",{"3":[4]}]',
    "bAQIDBA==",
    "b4AQIDBA==",
    Buffer.from([4, 1, 2, 3, 4]),
  ],
  textPayloads: [
    '42["a"]\x1e2\x1ebAQIDBA==\x1e43/admin,12["ok"]',
    "2\x1e".repeat(200) + "2",
    '7:42["a"]1:210:b4AQIDBA==6:4hé€😀',
    "1:2".repeat(200),
  ],
  binaryPayloads: [
    engineCodecV3.encodePayload(
      [
        { type: "message", data: '2["é€😀"]' },
        { type: "message", data: Buffer.alloc(130, 7) },
      ],
      true,
    ),
    Buffer.concat(Array<Buffer>(200).fill(Buffer.from([0, 1, 255, 0x32]))),
  ],
  packets: [
    "0",
    "0/admin?token=1,",
    '0{"token":"123"}',
    "1/admin,",
    '2["hello",{"a":[1,2.5,null,true]}]',
    '2/admin,456["project:delete",123]',
    "3/admin,456[]",
    '4/admin,{"message":"Not authorized"}',
    '51-["hello",{"_placeholder":true,"num":0}]',
    '52-/admin,456["a",{"b":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1}]]',
    '61-/admin,456[{"_placeholder":true,"num":0}]',
    `51-["deep",${"[".repeat(2000)}{"_placeholder":true,"num":0}${"]".repeat(2000)}]`,
    Buffer.from([1]),
    Buffer.from([2]),
  ],
};

const tokens = [
  "\x1e",
  "\x00",
  "-",
  "/",
  ",",
  ":",
  "[",
  "]",
  "{",
  "}",
  '"',
  "0",
  "9",
  "99999999999",
  "\ud800",
  "é",
  "__proto__",
];

/** A random source with the few choices the fuzzer makes. */
class Dice {
  readonly next: () => number;

  constructor(state: number) {
    this.next = generator(state);
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
  /** Cuts out, puts in, doubles, or cuts off, one to five times. */
  mutate(wire: Wire): Wire {
    let mutated = wire;
    for (let left = 1 + this.below(5); left > 0; left--) {
      const start = this.below(mutated.length + 1);
      const end = start + this.below(this.below(4) === 0 ? mutated.length + 1 : 4);
      const kept = this.pick([mutated.slice(start, end), mutated.slice(0, 0)]);
      const added =
        typeof mutated === "string"
          ? this.pick(tokens)
          : Buffer.from([this.pick([0, 1, 4, 9, 255, this.below(256)])]);
      mutated = join(
        mutated.slice(0, start),
        kept,
        this.pick([added, mutated.slice(0, 0), kept]),
        mutated.slice(end),
      );
    }
    return mutated;
  }
}

function join(...parts: Wire[]): Wire {
  return parts.every((part) => typeof part === "string")
    ? parts.join("")
    : Buffer.concat(parts.map((part) => Buffer.from(part)));
}

/** Fails, with what repeats it, on any error but a ParseError. */
function survives(input: unknown, decode: () => void): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof ParseError)) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs} with ${inspect(input).slice(0, 2000)}`, {
        cause: error,
      });
    }
  }
}

const size = ({ data }: EnginePacket): number => data?.length ?? 0;

describe(`fuzzing with FUZZ_SEED=${seed}`, () => {
  const codecs: [name: string, codec: EngineCodec][] = [
    ["v3", engineCodecV3],
    ["v4", engineCodecV4],
  ];
  for (const [name, codec] of codecs) {
    it(`Engine.IO ${name}: a frame gives one packet, no longer than the frame`, () => {
      const dice = new Dice(seed);
      for (let run = 0; run < runs; run++) {
        const frame = dice.mutate(dice.pick(real.frames));
        survives(frame, () => assert.ok(size(codec.decodePacket(frame)) <= frame.length));
      }
    });

    it(`Engine.IO ${name}: a payload gives no more packets and no more data than allowed`, () => {
      const dice = new Dice(seed);
      for (let run = 0; run < runs; run++) {
        const payload = dice.mutate(dice.pick([...real.textPayloads, ...real.binaryPayloads]));
        const limits = { maxBytes: dice.pick([16, 1000]), maxPackets: dice.pick([1, 3, 100]) };
        survives({ payload, limits }, () => {
          const packets = [...codec.decodePayload(payload, limits)];
          assert.ok(packets.length <= limits.maxPackets);
          assert.ok(Buffer.byteLength(payload) <= limits.maxBytes);
          assert.ok(packets.reduce((sum, packet) => sum + size(packet), 0) <= payload.length);
        });
      }
    });
  }

  for (const rules of [undefined, payloadRulesV4]) {
    it(`Socket.IO ${rules ? "v4" : "v5"}: any order of broken messages, and never more attachments than allowed`, () => {
      const dice = new Dice(seed);
      const decoder = new PacketDecoder({ rules, maxAttachments: 3 });
      let waiting = 0;
      for (let run = 0; run < runs; run++) {
        const message = dice.pick(real.packets);
        const chunk = dice.below(3) === 0 ? message : dice.mutate(message);
        survives(chunk, () => {
          const before = waiting;
          waiting = 0; // after a ParseError the decoder waits for nothing
          waiting = decoder.add(chunk) === undefined ? before + 1 : 0;
          assert.ok(waiting <= 3, "an announced text and more than two of three attachments");
        });
      }
    });
  }

  it("leaves Object.prototype as it was", () => {
    const extra: string[] = [];
    for (const key in {}) {
      extra.push(key);
    }
    assert.deepEqual(extra, []);
  });
});
