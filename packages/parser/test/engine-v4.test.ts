import assert from "node:assert/strict";
import { engineCodecV4 as v4 } from "@tidewire/parser";
import type { EnginePacket, EnginePacketType } from "@tidewire/parser";
import { rejects } from "./rejects.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("Engine.IO v4", () => {
  it("has the protocol number 4", () => {
    assert.equal(v4.protocol, 4);
  });

  describe("packet", () => {
    const digits: Record<EnginePacketType, string> = {
      open: "0",
      close: "1",
      ping: "2",
      pong: "3",
      message: "4",
      upgrade: "5",
      noop: "6",
    };
    for (const [name, digit] of Object.entries(digits)) {
      const type = name as EnginePacketType;
      it(`${type} without data is "${digit}"`, () => {
        assert.equal(v4.encodePacket({ type }, true), digit);
        assert.deepEqual(v4.decodePacket(digit), { type });
      });
      it(`${type} with data is "${digit}" and the data`, () => {
        assert.equal(v4.encodePacket({ type, data: "probe €" }, true), `${digit}probe €`);
        assert.deepEqual(v4.decodePacket(`${digit}probe €`), { type, data: "probe €" });
      });
    }

    it("an empty text message is a bare 4", () => {
      assert.equal(v4.encodePacket({ type: "message", data: "" }, true), "4");
    });

    it("binary goes bare into a binary frame, without a copy", () => {
      const data = hex("01 02 03 04");
      assert.equal(v4.encodePacket({ type: "message", data }, true), data);
    });

    it("binary becomes b and base64 where only text can go", () => {
      assert.equal(v4.encodePacket({ type: "message", data: hex("01 02 03 04") }, false), "bAQIDBA==");
    });

    it("a binary frame is a message, without a copy", () => {
      const data = hex("04 01");
      const packet = v4.decodePacket(data);
      assert.equal(packet.type, "message");
      assert.equal(packet.data, data);
    });

    it("an empty binary frame is an empty message", () => {
      assert.deepEqual(v4.decodePacket(Buffer.alloc(0)), { type: "message", data: Buffer.alloc(0) });
    });

    it("base64 that starts with 4 keeps its 4", () => {
      assert.equal(v4.encodePacket({ type: "message", data: hex("e3 5d b6") }, false), "b4122");
      assert.deepEqual(v4.decodePacket("b4122"), { type: "message", data: hex("e3 5d b6") });
    });

    it("b alone is empty binary", () => {
      assert.deepEqual(v4.decodePacket("b"), { type: "message", data: Buffer.alloc(0) });
    });

    it("an empty frame is refused", () => {
      rejects(() => v4.decodePacket(""), "EMPTY_PACKET", "parser error");
    });

    for (const frame of ["7", "9x", "a", " 4", "/", ":", "\x00", "é", "B", "\x1e"]) {
      it(`${JSON.stringify(frame)} is refused`, () => {
        rejects(() => v4.decodePacket(frame), "UNKNOWN_ENGINE_PACKET_TYPE", "parser error");
      });
    }
  });

  describe("payload", () => {
    const packets: EnginePacket[] = [
      { type: "message", data: "hé€" },
      { type: "ping" },
      { type: "message", data: hex("01 02 03 04") },
    ];
    const text = "4hé€\x1e2\x1ebAQIDBA==";

    it("joins packets with U+001E, binary as base64", () => {
      assert.equal(v4.encodePayload(packets, false), text);
    });

    it("is text even where binary is supported", () => {
      assert.equal(v4.encodePayload(packets, true), text);
    });

    it("of one packet is the packet", () => {
      assert.equal(v4.encodePayload([{ type: "noop" }], false), "6");
    });

    it("of nothing is empty", () => {
      assert.equal(v4.encodePayload([], false), "");
    });

    it("is decoded into its packets", () => {
      assert.deepEqual([...v4.decodePayload(text)], packets);
    });

    it("given as UTF-8 bytes is the same", () => {
      assert.deepEqual([...v4.decodePayload(Buffer.from(text))], packets);
    });

    it("that is not UTF-8 gets replacement characters, as from an HTTP host", () => {
      assert.deepEqual([...v4.decodePayload(hex("34 ff"))], [{ type: "message", data: "\ufffd" }]);
    });

    for (const payload of ["", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b"]) {
      it(`${JSON.stringify(payload)} has an empty packet and is refused`, () => {
        rejects(() => [...v4.decodePayload(payload)], "EMPTY_PACKET");
      });
    }

    it("with one bad packet is refused as a whole", () => {
      rejects(() => [...v4.decodePayload("4a\x1ex")], "UNKNOWN_ENGINE_PACKET_TYPE");
    });

    it("returns the packets before a malformed one", () => {
      const packets = v4.decodePayload("4a\x1ex\x1e4b")[Symbol.iterator]();
      assert.deepEqual(packets.next().value, { type: "message", data: "a" });
      rejects(() => packets.next(), "UNKNOWN_ENGINE_PACKET_TYPE");
    });
  });

  describe("limits", () => {
    it("a payload of maxBytes passes, one byte more does not", () => {
      assert.equal([...v4.decodePayload("4abc", { maxBytes: 4 })].length, 1);
      rejects(
        () => [...v4.decodePayload("4abcd", { maxBytes: 4 })],
        "PAYLOAD_TOO_LARGE",
        "payload too large",
      );
    });

    it("text is counted in UTF-8 bytes", () => {
      assert.equal([...v4.decodePayload("4€", { maxBytes: 4 })].length, 1);
      rejects(() => [...v4.decodePayload("4€€", { maxBytes: 6 })], "PAYLOAD_TOO_LARGE");
    });

    it("bytes are counted as they are", () => {
      rejects(() => [...v4.decodePayload(Buffer.from("4abcd"), { maxBytes: 4 })], "PAYLOAD_TOO_LARGE");
    });

    it("maxPackets pass, one more does not", () => {
      assert.equal([...v4.decodePayload("2\x1e2\x1e2", { maxPackets: 3 })].length, 3);
      rejects(
        () => [...v4.decodePayload("2\x1e2\x1e2\x1e2", { maxPackets: 3 })],
        "TOO_MANY_PACKETS",
        "too many packets",
      );
    });

    it("a payload of too many packets is refused before the rest of it is read", () => {
      const badTail = "2\x1e2\x1e2\x1e" + "?\x1e".repeat(10);
      rejects(() => [...v4.decodePayload(badTail, { maxPackets: 3 })], "TOO_MANY_PACKETS");
    });

    it("is unlimited without limits", () => {
      assert.equal([...v4.decodePayload("2\x1e".repeat(99_999) + "2")].length, 100_000);
    });
  });
});
