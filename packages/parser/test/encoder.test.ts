import assert from "node:assert/strict";
import { encodePacket, Encoder, hasBinary, PacketType } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";

const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK } = PacketType;
const one = Buffer.from([1]);
const two = Buffer.from([2, 2]);

describe("Socket.IO encoder", () => {
  const texts: [what: string, packet: Packet, wire: string][] = [
    ["CONNECT", { type: CONNECT, nsp: "/" }, "0"],
    ["CONNECT to a namespace", { type: CONNECT, nsp: "/admin" }, "0/admin,"],
    ["CONNECT with auth", { type: CONNECT, nsp: "/", data: { token: "x" } }, '0{"token":"x"}'],
    [
      "CONNECT with a query, as before Socket.IO 3",
      { type: CONNECT, nsp: "/admin?token=1" },
      "0/admin?token=1,",
    ],
    ["DISCONNECT", { type: DISCONNECT, nsp: "/" }, "1"],
    ["DISCONNECT from a namespace", { type: DISCONNECT, nsp: "/admin" }, "1/admin,"],
    ["an event", { type: EVENT, nsp: "/", data: ["a", 1, {}] }, '2["a",1,{}]'],
    ["an event with an id", { type: EVENT, nsp: "/", id: 0, data: ["a"] }, '20["a"]'],
    ["an event of a namespace with an id", { type: EVENT, nsp: "/x", id: 13, data: ["a"] }, '2/x,13["a"]'],
    ["an event with a number for a name", { type: EVENT, nsp: "/", data: [7, "x"] }, '2[7,"x"]'],
    [
      "an event whose name needs escapes",
      { type: EVENT, nsp: "/", data: ['"\n\ud800'] },
      '2["\\"\\n\\ud800"]',
    ],
    ["an event without data", { type: EVENT, nsp: "/" }, "2"],
    ["an ack", { type: ACK, nsp: "/", id: 12, data: ["ok", null] }, '312["ok",null]'],
    ["an ack without arguments", { type: ACK, nsp: "/x", id: 1, data: [] }, "3/x,1[]"],
    ["CONNECT_ERROR", { type: CONNECT_ERROR, nsp: "/x", data: { message: "no" } }, '4/x,{"message":"no"}'],
    ["ERROR with a text, as before Socket.IO 3", { type: CONNECT_ERROR, nsp: "/", data: "no" }, '4"no"'],
    [
      "ERROR with any JSON, as before Socket.IO 3",
      { type: CONNECT_ERROR, nsp: "/", data: [0, false] },
      "4[0,false]",
    ],
    ["null data", { type: CONNECT_ERROR, nsp: "/", data: null }, "4"],
    ["a falsy payload", { type: CONNECT_ERROR, nsp: "/", data: 0 }, "40"],
    ["an empty namespace", { type: EVENT, nsp: "", data: ["a"] }, '2["a"]'],
  ];
  for (const [what, packet, wire] of texts) {
    it(`writes ${what}: ${wire}`, () => {
      assert.deepEqual(encodePacket(packet), [wire]);
    });
  }

  it("writes values without a JSON form as null in an array", () => {
    const data = ["a", undefined, () => 1, Symbol("s"), { toJSON: () => undefined }];
    assert.deepEqual(encodePacket({ type: EVENT, nsp: "/", data }), ['2["a",null,null,null,null]']);
  });

  it("writes the same for new and for known event names, however many", () => {
    for (const round of [1, 2]) {
      for (let i = 0; i < 2500; i++) {
        const [text] = encodePacket({ type: EVENT, nsp: "/", data: [`event "${i}"`, round] });
        assert.equal(text, `2["event \\"${i}\\"",${round}]`);
      }
    }
  });

  it("does not change the packet", () => {
    const packet: Packet = { type: EVENT, nsp: "/", id: 1, data: ["a", { b: one }] };
    encodePacket(packet);
    assert.deepEqual(packet, { type: EVENT, nsp: "/", id: 1, data: ["a", { b: one }] });
  });

  it("throws TypeError on circular data and on BigInt", () => {
    const circle: unknown[] = [];
    circle.push({ circle });
    assert.throws(() => encodePacket({ type: CONNECT_ERROR, nsp: "/", data: circle }), TypeError);
    assert.throws(() => encodePacket({ type: EVENT, nsp: "/", data: ["a", 1n] }), TypeError);
  });

  describe("with binary data", () => {
    const placeholder = (num: number): string => `{"_placeholder":true,"num":${num}}`;

    it("turns an event into a BINARY_EVENT", () => {
      const encoded = encodePacket({ type: EVENT, nsp: "/", data: ["a", one] });
      assert.deepEqual(encoded, [`51-["a",${placeholder(0)}]`, one]);
      assert.equal(encoded[1], one);
    });

    it("turns an ack into a BINARY_ACK", () => {
      const encoded = encodePacket({ type: ACK, nsp: "/x", id: 3, data: [one] });
      assert.deepEqual(encoded, [`61-/x,3[${placeholder(0)}]`, one]);
    });

    it("numbers attachments in the order of the text", () => {
      const data = ["a", { x: [one, { y: two }] }, one];
      assert.deepEqual(encodePacket({ type: EVENT, nsp: "/x", id: 4, data }), [
        `53-/x,4["a",{"x":[${placeholder(0)},{"y":${placeholder(1)}}]},${placeholder(2)}]`,
        one,
        two,
        one,
      ]);
    });

    it("writes more than ten attachments: the limit is the receiver's", () => {
      const data = ["a", ...Array<Buffer>(12).fill(one)];
      assert.equal(encodePacket({ type: EVENT, nsp: "/", data }).length, 13);
    });

    const bytes = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]);
    const kinds: [name: string, value: unknown, sent: number[]][] = [
      ["a Buffer", Buffer.from([9]), [9]],
      ["an empty Buffer", Buffer.alloc(0), []],
      ["an ArrayBuffer", bytes.buffer, [0, 1, 2, 3, 4, 5, 6, 7]],
      ["a Uint8Array on a part of its buffer", bytes.subarray(2, 4), [2, 3]],
      ["a Uint16Array", new Uint16Array(bytes.buffer, 2, 1), [2, 3]],
      ["a Float64Array", new Float64Array(bytes.buffer), [0, 1, 2, 3, 4, 5, 6, 7]],
      ["a DataView", new DataView(bytes.buffer, 6), [6, 7]],
    ];
    for (const [name, value, sent] of kinds) {
      it(`sends the bytes of ${name}`, () => {
        assert.deepEqual(encodePacket({ type: EVENT, nsp: "/", data: ["a", value] })[1], Buffer.from(sent));
      });
    }

    it("asks toJSON first, once", () => {
      let calls = 0;
      const again = { toJSON: () => assert.fail("asked twice"), b: two };
      const value = {
        toJSON() {
          calls++;
          return again;
        },
      };
      assert.deepEqual(
        encodePacket({ type: EVENT, nsp: "/", data: ["a", one, value] })[0]?.slice(0, 3),
        "52-",
      );
      assert.equal(calls, 1);
      assert.ok(hasBinary(value));
    });

    it("writes dates, nulls and class instances as JSON does", () => {
      class Point {
        x = 1;
        get y(): number {
          return 2;
        }
      }
      const data = ["a", one, new Date(0), null, undefined, new Point()];
      assert.equal(
        encodePacket({ type: EVENT, nsp: "/", data })[0],
        `51-["a",${placeholder(0)},"1970-01-01T00:00:00.000Z",null,null,{"x":1}]`,
      );
    });

    it("leaves out inherited fields", () => {
      const data = ["a", one, Object.create({ inherited: two })];
      assert.deepEqual(encodePacket({ type: EVENT, nsp: "/", data }), [`51-["a",${placeholder(0)},{}]`, one]);
    });

    it("keeps a field named __proto__", () => {
      const data = ["a", one, JSON.parse('{"__proto__":{"x":1}}')];
      assert.equal(
        encodePacket({ type: EVENT, nsp: "/", data })[0],
        `51-["a",${placeholder(0)},{"__proto__":{"x":1}}]`,
      );
    });

    it("counts the attachments itself when given a binary type", () => {
      const wire = [`51-["a",${placeholder(0)}]`, one];
      assert.deepEqual(encodePacket({ type: BINARY_EVENT, nsp: "/", data: ["a", one] }), wire);
      assert.deepEqual(encodePacket({ type: BINARY_ACK, nsp: "/", id: 1, data: [1] }), ["31[1]"]);
    });

    it("refuses a Blob, whose bytes cannot be read synchronously", () => {
      const data = ["a", new Blob(["x"])];
      assert.throws(() => encodePacket({ type: EVENT, nsp: "/", data }), {
        name: "TypeError",
        code: "BLOB",
        message: "a Blob cannot be sent from the server: send `await blob.arrayBuffer()` instead",
      });
    });
  });

  describe("as the parser option takes it", () => {
    it("encodes like encodePacket", () => {
      const packet: Packet = { type: EVENT, nsp: "/", data: ["a", one] };
      assert.deepEqual(new Encoder().encode(packet), encodePacket(packet));
    });

    it("passes its replacer to JSON.stringify", () => {
      const encoder = new Encoder((_key, value) => (typeof value === "bigint" ? Number(value) : value));
      assert.deepEqual(encoder.encode({ type: EVENT, nsp: "/", data: ["a", 5n] }), ['2["a",5]']);
      assert.equal(
        encoder.encode({ type: EVENT, nsp: "/", data: ["a", 5n, one] })[0]?.slice(0, 10),
        '51-["a",5,',
      );
    });
  });
});
