import assert from "node:assert/strict";
import { engineCodecV3 as v3 } from "@tidewire/parser";
import type { EnginePacket, EnginePacketType } from "@tidewire/parser";
import { rejects } from "./rejects.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("Engine.IO v3", () => {
  it("has the protocol number 3", () => {
    assert.equal(v3.protocol, 3);
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
      it(`${type} is "${digit}", with or without data`, () => {
        assert.equal(v3.encodePacket({ type }, true), digit);
        assert.equal(v3.encodePacket({ type, data: "probe €" }, true), `${digit}probe €`);
        assert.deepEqual(v3.decodePacket(digit), { type });
        assert.deepEqual(v3.decodePacket(`${digit}probe €`), { type, data: "probe €" });
      });
    }

    it("a binary frame starts with the type as a byte", () => {
      assert.deepEqual(v3.encodePacket({ type: "message", data: hex("01 02 03") }, true), hex("04 01 02 03"));
      assert.deepEqual(v3.decodePacket(hex("04 01 02 03")), { type: "message", data: hex("01 02 03") });
    });

    it("a binary frame is not copied", () => {
      const frame = hex("04 01 02 03");
      const { data } = v3.decodePacket(frame);
      assert.equal((data as Buffer).buffer, frame.buffer);
    });

    it("a binary frame of the type byte alone is empty binary", () => {
      assert.deepEqual(v3.decodePacket(hex("04")), { type: "message", data: Buffer.alloc(0) });
    });

    it("binary becomes b4 and base64 where only text can go", () => {
      assert.equal(v3.encodePacket({ type: "message", data: hex("01 02 03 04") }, false), "b4AQIDBA==");
      assert.deepEqual(v3.decodePacket("b4AQIDBA=="), { type: "message", data: hex("01 02 03 04") });
    });

    it("base64 that itself starts with 4 is told from the type", () => {
      assert.equal(v3.encodePacket({ type: "message", data: hex("e3 5d b6") }, false), "b44122");
      assert.deepEqual(v3.decodePacket("b44122"), { type: "message", data: hex("e3 5d b6") });
    });

    it("an empty frame is refused", () => {
      rejects(() => v3.decodePacket(""), "EMPTY_PACKET", "parser error");
      rejects(() => v3.decodePacket(Buffer.alloc(0)), "EMPTY_PACKET", "parser error");
    });

    for (const frame of ["7", "a", " ", "b", "b7AQ==", "bAQ==", hex("07 01"), hex("34 01")]) {
      const shown = typeof frame === "string" ? JSON.stringify(frame) : frame.toString("hex");
      it(`${shown} has no known type and is refused`, () => {
        rejects(() => v3.decodePacket(frame), "UNKNOWN_ENGINE_PACKET_TYPE", "parser error");
      });
    }
  });

  describe("text payload", () => {
    const packets: EnginePacket[] = [
      { type: "message", data: "hé€" },
      { type: "ping" },
      { type: "message", data: hex("01 02 03 04") },
    ];
    const text = "4:4hé€1:210:b4AQIDBA==";

    it("has a length before each packet, binary as b4 and base64", () => {
      assert.equal(v3.encodePayload(packets, false), text);
      assert.deepEqual([...v3.decodePayload(text)], packets);
    });

    it("stays text where binary is supported but there is none", () => {
      assert.equal(v3.encodePayload([{ type: "message", data: "a" }], true), "2:4a");
    });

    it("counts UTF-16 units, not characters or bytes", () => {
      const packet: EnginePacket = { type: "message", data: "😀€" };
      assert.equal(v3.encodePayload([packet], false), "4:4😀€");
      assert.deepEqual([...v3.decodePayload("4:4😀€2:4a")], [packet, { type: "message", data: "a" }]);
    });

    it("of nothing is 0:, and 0: holds no packet", () => {
      assert.equal(v3.encodePayload([], false), "0:");
      assert.deepEqual([...v3.decodePayload("0:")], []);
      assert.deepEqual([...v3.decodePayload("0:2:4a0:")], [{ type: "message", data: "a" }]);
    });

    it("may contain colons and digits in its packets", () => {
      assert.deepEqual(
        [...v3.decodePayload("5:41:4a1:2")],
        [{ type: "message", data: "1:4a" }, { type: "ping" }],
      );
    });

    const malformed = ["", ":", "1", "12", "a", "4a", "-1:4", "3:4", "9:4a", "1:", "2:4a1", "2:4ax", "1:42"];
    const oddLengths = [
      "+1:4",
      "1.0:4",
      "1e0:4",
      "0x1:4",
      " 1:4",
      "1 :4",
      "Infinity:4",
      "9".repeat(400) + ":4",
    ];
    for (const payload of [...malformed, ...oddLengths]) {
      it(`${JSON.stringify(payload.slice(0, 20))} is refused`, () => {
        rejects(() => [...v3.decodePayload(payload)], "ILLEGAL_PAYLOAD_LENGTH", "parser error");
      });
    }

    it("with one bad packet is refused as a whole", () => {
      rejects(() => [...v3.decodePayload("2:4a2:9a")], "UNKNOWN_ENGINE_PACKET_TYPE");
    });
  });

  describe("binary payload", () => {
    const packets: EnginePacket[] = [
      { type: "message", data: "é€" },
      { type: "message", data: hex("01 02 03") },
      { type: "ping" },
    ];
    const bytes = hex("00 06 ff 34 c3a9 e282ac  01 04 ff 04 01 02 03  00 01 ff 32");

    it("is used where binary is both present and supported; lengths count bytes", () => {
      assert.deepEqual(v3.encodePayload(packets, true), bytes);
      assert.deepEqual([...v3.decodePayload(bytes)], packets);
    });

    it("writes a length of several digits one byte each", () => {
      const payload = v3.encodePayload([{ type: "message", data: Buffer.alloc(122) }], true) as Buffer;
      assert.deepEqual(payload.subarray(0, 6), hex("01 01 02 03 ff 04"));
      assert.equal(payload.length, 5 + 123);
    });

    it("writes a lone surrogate as U+FFFD", () => {
      const payload = v3.encodePayload(
        [
          { type: "message", data: "\ud800" },
          { type: "message", data: hex("01") },
        ],
        true,
      );
      assert.deepEqual(payload, hex("00 04 ff 34 efbfbd  01 02 ff 04 01"));
    });

    it("keeps a byte order mark", () => {
      assert.deepEqual(
        [...v3.decodePayload(hex("00 04 ff 34 efbbbf"))],
        [{ type: "message", data: "\ufeff" }],
      );
    });

    it("does not skip a byte order mark before the type", () => {
      rejects(() => [...v3.decodePayload(hex("00 04 ff efbbbf 34"))], "UNKNOWN_ENGINE_PACKET_TYPE");
    });

    it("may hold base64 text", () => {
      assert.deepEqual(
        [...v3.decodePayload(Buffer.concat([hex("00 06 ff"), Buffer.from("b4AQ==")]))],
        [{ type: "message", data: hex("01") }],
      );
    });

    it("of no bytes holds no packet", () => {
      assert.deepEqual([...v3.decodePayload(Buffer.alloc(0))], []);
    });

    const malformed: Record<string, string> = {
      "no length": "00",
      "no digits": "00 ff 34",
      "no end of length": "00 01 34",
      "only digits": "00 01 02 03 04",
      "digits as text": "00 31 ff 34",
      "a digit above 9": "00 0a ff 34",
      "less data than its length": "01 05 ff 04 01",
      "no data": "01 05 ff",
      "a rest after the last packet": "00 01 ff 32 00",
      "a length of 400 digits": "00" + "09".repeat(400) + "ff 34",
    };
    for (const [what, payload] of Object.entries(malformed)) {
      it(`with ${what} is refused`, () => {
        rejects(() => [...v3.decodePayload(hex(payload))], "ILLEGAL_PAYLOAD_LENGTH", "parser error");
      });
    }

    it("with an empty packet is refused", () => {
      rejects(() => [...v3.decodePayload(hex("00 00 ff"))], "EMPTY_PACKET");
      rejects(() => [...v3.decodePayload(hex("01 00 ff"))], "EMPTY_PACKET");
    });

    const notUtf8 = ["34 ff", "34 c3", "34 c0 80", "34 e2 82", "34 f5 80 80 80", "34 ed a0 80", "34 80"];
    for (const body of notUtf8) {
      it(`with text of the bytes ${body} is refused`, () => {
        const length = hex(body).length;
        rejects(
          () => [...v3.decodePayload(Buffer.concat([Buffer.from([0, length, 255]), hex(body)]))],
          "ILLEGAL_UTF8",
        );
      });
    }
  });

  describe("limits", () => {
    it("a payload of maxBytes passes, one byte more does not", () => {
      assert.equal([...v3.decodePayload("2:4a", { maxBytes: 4 })].length, 1);
      rejects(() => [...v3.decodePayload("3:4ab", { maxBytes: 4 })], "PAYLOAD_TOO_LARGE");
      rejects(() => [...v3.decodePayload(hex("01 02 ff 04 01"), { maxBytes: 4 })], "PAYLOAD_TOO_LARGE");
    });

    it("text is counted in UTF-8 bytes", () => {
      rejects(() => [...v3.decodePayload("2:4€", { maxBytes: 5 })], "PAYLOAD_TOO_LARGE");
    });

    it("maxPackets pass, one more does not", () => {
      assert.equal([...v3.decodePayload("1:21:2", { maxPackets: 2 })].length, 2);
      rejects(() => [...v3.decodePayload("1:21:21:2?", { maxPackets: 2 })], "TOO_MANY_PACKETS");
      rejects(
        () => [...v3.decodePayload(hex("00 01 ff 32 00 01 ff 32"), { maxPackets: 1 })],
        "TOO_MANY_PACKETS",
      );
    });
  });
});
