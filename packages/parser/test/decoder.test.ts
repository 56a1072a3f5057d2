import assert from "node:assert/strict";
import { createDecoder, Decoder, defaultParser, PacketDecoder, payloadRulesV4 } from "@tidewire/parser";
import type { Binary, DecoderOptions, Packet, ParseErrorCode } from "@tidewire/parser";
import { rejects } from "./rejects.ts";

type Chunk = string | Binary;
type Feed = (chunk: Chunk) => Packet | undefined;

/** The forms in which the one decoder is offered: every case runs through each of them. */
const forms: Record<string, (options?: DecoderOptions) => Feed> = {
  PacketDecoder(options) {
    const decoder = new PacketDecoder(options);
    return (chunk) => decoder.add(chunk);
  },
  "Decoder, by event"(options) {
    let decoded: Packet | undefined;
    const decoder = new Decoder(options);
    decoder.on("decoded", (packet) => (decoded = packet));
    return (chunk) => {
      decoded = undefined;
      decoder.add(chunk);
      return decoded;
    };
  },
  createDecoder(options) {
    const decoder = createDecoder(defaultParser, { ondecoded: () => assert.fail() }, options);
    return (chunk) => decoder.add(chunk);
  },
};

const one = Buffer.from([1]);
const two = Buffer.from([2, 2]);
const p = (num: unknown): string => `{"_placeholder":true,"num":${String(num)}}`;

const accepted: [what: string, chunks: Chunk[], packet: Packet][] = [
  ["CONNECT", ["0"], { type: 0, nsp: "/" }],
  ["CONNECT to a namespace", ["0/admin,"], { type: 0, nsp: "/admin" }],
  ["CONNECT to a namespace without its comma", ["0/admin"], { type: 0, nsp: "/admin" }],
  ["CONNECT with auth", ['0{"token":"x"}'], { type: 0, nsp: "/", data: { token: "x" } }],
  ["CONNECT to a namespace with auth", ['0/a,{"t":1}'], { type: 0, nsp: "/a", data: { t: 1 } }],
  [
    "CONNECT with a query, as before Socket.IO 3",
    ["0/admin?token=1&x=%2C,"],
    { type: 0, nsp: "/admin?token=1&x=%2C" },
  ],
  ["DISCONNECT", ["1"], { type: 1, nsp: "/" }],
  ["DISCONNECT from a namespace", ["1/admin,"], { type: 1, nsp: "/admin" }],
  ["an event", ['2["a",1,{}]'], { type: 2, nsp: "/", data: ["a", 1, {}] }],
  ["an event with an id", ['20["a"]'], { type: 2, nsp: "/", id: 0, data: ["a"] }],
  ["an event of a namespace", ['2/x,["a"]'], { type: 2, nsp: "/x", data: ["a"] }],
  ["an event of a namespace with an id", ['2/x,12["a"]'], { type: 2, nsp: "/x", id: 12, data: ["a"] }],
  ["a namespace that ends in digits", ['2/x1,2["a"]'], { type: 2, nsp: "/x1", id: 2, data: ["a"] }],
  ["a namespace of one slash", ['2/,["a"]'], { type: 2, nsp: "/", data: ["a"] }],
  ["the largest id", ['29007199254740991["a"]'], { type: 2, nsp: "/", id: 9007199254740991, data: ["a"] }],
  ["an id with zeros before it", ['2007["a"]'], { type: 2, nsp: "/", id: 7, data: ["a"] }],
  ["a number for an event name", ["2[1]"], { type: 2, nsp: "/", data: [1] }],
  ["an empty event name", ['2[""]'], { type: 2, nsp: "/", data: [""] }],
  ["a name that an object has from birth", ['2["__proto__"]'], { type: 2, nsp: "/", data: ["__proto__"] }],
  ["JSON with space around it", ['2 ["a"] '], { type: 2, nsp: "/", data: ["a"] }],
  ["an event without payload", ["2"], { type: 2, nsp: "/" }],
  ["an event of an id alone", ["2/x,1"], { type: 2, nsp: "/x", id: 1 }],
  ["an ack", ['312["ok"]'], { type: 3, nsp: "/", id: 12, data: ["ok"] }],
  ["an ack without arguments", ["3/x,1[]"], { type: 3, nsp: "/x", id: 1, data: [] }],
  ["an ack without payload", ["31"], { type: 3, nsp: "/", id: 1 }],
  ["CONNECT_ERROR", ['4{"message":"no"}'], { type: 4, nsp: "/", data: { message: "no" } }],
  ["CONNECT_ERROR of a text", ['4/x,"no"'], { type: 4, nsp: "/x", data: "no" }],
  ["a binary event", [`51-["a",${p(0)}]`, one], { type: 2, nsp: "/", data: ["a", one] }],
  ["a binary ack", [`61-/x,3[${p(0)}]`, one], { type: 3, nsp: "/x", id: 3, data: [one] }],
  [
    "several attachments at any depth",
    [`52-/x,4["a",{"b":[${p(1)}]},${p(0)}]`, one, two],
    { type: 2, nsp: "/x", id: 4, data: ["a", { b: [two] }, one] },
  ],
  [
    "one attachment in two places",
    [`51-["a",${p(0)},${p(0)}]`, one],
    { type: 2, nsp: "/", data: ["a", one, one] },
  ],
  ["an attachment without a place", ['51-["a"]', one], { type: 2, nsp: "/", data: ["a"] }],
  ["attachments without payload", ["51-", one], { type: 2, nsp: "/" }],
  ["ten attachments", ['510-["a"]', ...Array<Buffer>(10).fill(one)], { type: 2, nsp: "/", data: ["a"] }],
  ["a count of attachments with a zero before it", ['501-["a"]', one], { type: 2, nsp: "/", data: ["a"] }],
  [
    "an attachment that is an ArrayBuffer, as it is",
    [`51-["a",${p(0)}]`, Uint8Array.of(1).buffer],
    { type: 2, nsp: "/", data: ["a", Uint8Array.of(1).buffer] },
  ],
  [
    "what only looks like a placeholder",
    ['51-["a",{"_placeholder":1,"num":0},{"num":0},"_placeholder"]', one],
    { type: 2, nsp: "/", data: ["a", { _placeholder: 1, num: 0 }, { num: 0 }, "_placeholder"] },
  ],
  [
    "a placeholder in an event that is not binary, as plain data",
    [`2["a",${p(0)}]`],
    { type: 2, nsp: "/", data: ["a", { _placeholder: true, num: 0 }] },
  ],
];

const refused: [what: string, chunks: Chunk[], code: ParseErrorCode, message: string][] = [
  ["an empty text", [""], "UNKNOWN_PACKET_TYPE", "unknown packet type NaN"],
  ["a blank", [" "], "UNKNOWN_PACKET_TYPE", "unknown packet type NaN"],
  ["a letter for a type", ["x"], "UNKNOWN_PACKET_TYPE", "unknown packet type NaN"],
  ["type 7", ["7"], "UNKNOWN_PACKET_TYPE", "unknown packet type 7"],
  ["type 9", ['9["a"]'], "UNKNOWN_PACKET_TYPE", "unknown packet type 9"],
  ["JSON that does not end", ['2["a"'], "INVALID_PAYLOAD", "invalid payload"],
  ["text that is no JSON", ["2foo"], "INVALID_PAYLOAD", "invalid payload"],
  ["JSON with a tail", ['2["a"]x'], "INVALID_PAYLOAD", "invalid payload"],
  ["a sign before an id", ['2-1["a"]'], "INVALID_PAYLOAD", "invalid payload"],
  ["a fraction for an id", ['21.5["a"]'], "INVALID_PAYLOAD", "invalid payload"],
  ["a blank before the namespace", ['2 /x["a"]'], "INVALID_PAYLOAD", "invalid payload"],
  ["an event that is no array", ['2{"0":"a"}'], "INVALID_PAYLOAD", "invalid payload"],
  ["an event that is a text", ['2"a"'], "INVALID_PAYLOAD", "invalid payload"],
  ["an event without a name", ["2[]"], "INVALID_PAYLOAD", "invalid payload"],
  ["an event with an object for a name", ["2[{}]"], "INVALID_PAYLOAD", "invalid payload"],
  ["an event with null for a name", ["2[null]"], "INVALID_PAYLOAD", "invalid payload"],
  ["an attachment for a name", [`51-[${p(0)}]`], "INVALID_PAYLOAD", "invalid payload"],
  ["an ack that is no array", ["31{}"], "INVALID_PAYLOAD", "invalid payload"],
  ["CONNECT with an array", ["0[]"], "INVALID_PAYLOAD", "invalid payload"],
  ["CONNECT with null", ["0null"], "INVALID_PAYLOAD", "invalid payload"],
  ["CONNECT with a text", ['0"x"'], "INVALID_PAYLOAD", "invalid payload"],
  ["DISCONNECT with a payload", ["1{}"], "INVALID_PAYLOAD", "invalid payload"],
  ["DISCONNECT with a broken payload", ["1x"], "INVALID_PAYLOAD", "invalid payload"],
  ["CONNECT_ERROR with an array", ["4[]"], "INVALID_PAYLOAD", "invalid payload"],
  ["an id that a number cannot hold", ['29007199254740992["a"]'], "ILLEGAL_ID", "Illegal id"],
  ["an id of 400 digits", ["2" + "9".repeat(400)], "ILLEGAL_ID", "Illegal id"],
  ["no count of attachments", ['5["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["a binary type alone", ["5"], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["an empty count of attachments", ['5-["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["no attachments", ['50-["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["no attachments of an ack", ['600-["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["a negative count of attachments", ['5-1-["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["a fraction of attachments", ['51.0-["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["an exponent of attachments", ['51e0-["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["a count of attachments without its dash", ['51["a"]'], "ILLEGAL_ATTACHMENTS", "Illegal attachments"],
  ["eleven attachments", ['511-["a"]'], "TOO_MANY_ATTACHMENTS", "too many attachments"],
  [
    "400 digits of attachments",
    ["5" + "9".repeat(400) + "-"],
    "TOO_MANY_ATTACHMENTS",
    "too many attachments",
  ],
  ["a placeholder out of range", [`51-["a",${p(1)}]`, one], "ILLEGAL_PLACEHOLDER", "illegal attachments"],
  ["a negative placeholder", [`51-["a",${p(-1)}]`, one], "ILLEGAL_PLACEHOLDER", "illegal attachments"],
  ["a placeholder of 0.5", [`51-["a",${p(0.5)}]`, one], "ILLEGAL_PLACEHOLDER", "illegal attachments"],
  [
    "a placeholder that names length",
    [`51-["a",${p('"length"')}]`, one],
    "ILLEGAL_PLACEHOLDER",
    "illegal attachments",
  ],
  [
    "a placeholder that names 0 as text",
    [`51-["a",${p('"0"')}]`, one],
    "ILLEGAL_PLACEHOLDER",
    "illegal attachments",
  ],
  [
    "a placeholder without a number",
    ['51-["a",{"_placeholder":true}]', one],
    "ILLEGAL_PLACEHOLDER",
    "illegal attachments",
  ],
  [
    "text instead of an attachment",
    ['51-["a"]', '2["b"]'],
    "UNEXPECTED_TEXT",
    "got plaintext data when reconstructing a packet",
  ],
  ["binary before any text", [one], "UNEXPECTED_BINARY", "got binary data when not reconstructing a packet"],
  [
    "one attachment too many",
    ['51-["a"]', one, one],
    "UNEXPECTED_BINARY",
    "got binary data when not reconstructing a packet",
  ],
  ["a chunk that is a number", [5 as never], "UNKNOWN_CHUNK", "Unknown type: number"],
  ["a chunk that is undefined", [undefined as never], "UNKNOWN_CHUNK", "Unknown type: undefined"],
  [
    "a chunk that is an object",
    [{ base64: true } as never],
    "UNKNOWN_CHUNK",
    "Unknown type: [object Object]",
  ],
];

for (const name of [
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]) {
  refused.push([`the reserved event ${name}`, [`2["${name}"]`], "RESERVED_EVENT", "invalid payload"]);
  refused.push([
    `the reserved binary event ${name}`,
    [`51-["${name}"]`],
    "RESERVED_EVENT",
    "invalid payload",
  ]);
}

for (const [form, create] of Object.entries(forms)) {
  describe(`Socket.IO decoder (${form})`, () => {
    for (const [what, chunks, packet] of accepted) {
      it(`reads ${what}, not before its last chunk`, () => {
        const feed = create();
        for (const chunk of chunks.slice(0, -1)) {
          assert.equal(feed(chunk), undefined);
        }
        assert.deepEqual(feed(chunks.at(-1)!), packet);
      });
    }

    it("reads all of these one after the other", () => {
      const feed = create();
      for (const [, chunks, packet] of accepted) {
        assert.deepEqual(chunks.map(feed).at(-1), packet);
      }
    });

    for (const [what, chunks, code, message] of refused) {
      it(`refuses ${what}, and keeps reading`, () => {
        const feed = create();
        for (const chunk of chunks.slice(0, -1)) {
          feed(chunk);
        }
        rejects(() => feed(chunks.at(-1)!), code, message);
        assert.deepEqual(feed('2["next"]'), { type: 2, nsp: "/", data: ["next"] });
      });
    }

    it("passes its reviver to JSON.parse", () => {
      const feed = create({ reviver: (key, value) => (key === "n" ? BigInt(String(value)) : value) });
      assert.deepEqual(feed('2["a",{"n":"5"}]'), { type: 2, nsp: "/", data: ["a", { n: 5n }] });
    });

    it("does not look for placeholders in bytes created by its reviver", () => {
      const bytes = Object.assign(Buffer.from([7]), { _placeholder: true, num: 0 });
      const feed = create({ reviver: (key, value) => (key === "bytes" ? bytes : value) });
      feed('51-["a",{"bytes":0}]');
      assert.equal((feed(one)!.data as [string, { bytes: Buffer }])[1].bytes, bytes);
    });

    it("refuses a payload whose reviver throws", () => {
      const feed = create({ reviver: () => assert.fail() });
      rejects(() => feed('2["a"]'), "INVALID_PAYLOAD");
    });

    it("accepts another limit on attachments", () => {
      assert.equal(create({ maxAttachments: 11 })('511-["a"]'), undefined);
      rejects(() => create({ maxAttachments: 1 })('52-["a"]'), "TOO_MANY_ATTACHMENTS");
      rejects(() => create({ maxAttachments: undefined })('511-["a"]'), "TOO_MANY_ATTACHMENTS");
    });
  });
}

describe("Socket.IO decoder", () => {
  it("forgets an unfinished packet when destroyed", () => {
    const decoder = new PacketDecoder();
    decoder.add('51-["a"]');
    decoder.destroy();
    rejects(() => decoder.add(one), "UNEXPECTED_BINARY");
  });

  it("protects prototypes from decoded data", () => {
    const decoder = new PacketDecoder();
    decoder.add(`51-["a",{"__proto__":{"polluted":${p(0)}},"constructor":{"prototype":{"polluted":true}}}]`);
    const packet = decoder.add(one);
    const [, value] = packet!.data as [string, object];
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.deepEqual(Object.getOwnPropertyDescriptor(value, "__proto__")?.value, { polluted: one });
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  it("reads data up to the configured depth", () => {
    const depth = 200_000;
    const decoder = new PacketDecoder({ maxDepth: depth + 2 });
    decoder.add(`51-["a",${"[".repeat(depth)}${p(0)}${"]".repeat(depth)}]`);
    let value = (decoder.add(one)!.data as unknown[])[1];
    while (Array.isArray(value)) {
      value = value[0];
    }
    assert.equal(value, one);
  });

  describe("with the rules of protocol v4, for clients before Socket.IO 3", () => {
    const decode = (text: string): Packet | undefined =>
      new PacketDecoder({ rules: payloadRulesV4 }).add(text);

    for (const text of ["0null", "0[1]", "4null", '4["a"]', '4"a"', '2["connect"]', '2["disconnect",1]']) {
      it(`reads ${text}`, () => {
        assert.deepEqual(decode(text), { type: Number(text[0]), nsp: "/", data: JSON.parse(text.slice(1)) });
      });
    }

    for (const text of ['0"a"', "1{}", "2{}", "2[]", "3{}", "4 5", "4true"]) {
      it(`refuses ${text}`, () => {
        rejects(() => decode(text), "INVALID_PAYLOAD");
      });
    }
  });
});
