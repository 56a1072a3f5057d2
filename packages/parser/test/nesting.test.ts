// How deep a payload may be nested.
import assert from "node:assert/strict";
import { createDecoder, Decoder, defaultParser, Encoder, PacketDecoder, ParseError } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import * as msgpack from "socket.io-msgpack-parser";
import { rejects } from "./rejects.ts";

/** `[[…]]`, so many of them. */
const arrays = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
/** `{"a":{"a":…1}}`, so many of them. */
const objects = (depth: number): string => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);

const forms: Record<string, (inner: string) => string> = {
  "an event": (inner) => `2["a",${inner}]`,
  "an event of a namespace, with an id": (inner) => `2/admin,7["a",${inner}]`,
  "an answer": (inner) => `37[${inner}]`,
  "a CONNECT": (inner) => `0{"token":${inner}}`,
  "an event with attachments": (inner) => `51-["a",${inner},{"_placeholder":true,"num":0}]`,
};

describe("the depth of a payload", () => {
  for (const [form, packet] of Object.entries(forms)) {
    for (const [kind, nested] of Object.entries({ arrays, objects })) {
      it(`of ${form} may be 500 ${kind}, its own included`, () => {
        new PacketDecoder().add(packet(nested(499)));
      });

      it(`of ${form} may not be 501 ${kind}`, () => {
        assert.throws(
          () => new PacketDecoder().add(packet(nested(500))),
          (error) => error instanceof ParseError && error.code === "INVALID_PAYLOAD" && error.limit === 500,
        );
      });
    }
  }

  it("is checked before the JSON is parsed and a reviver is called", () => {
    const decoder = new PacketDecoder({ reviver: () => assert.fail() });
    rejects(() => decoder.add(`2["a",${arrays(100_000)}]`), "INVALID_PAYLOAD", "invalid payload");
  });

  it("is set by the option", () => {
    for (const add of [
      (text: string): unknown => new PacketDecoder({ maxDepth: 3 }).add(text),
      (text: string): unknown => new Decoder({ maxDepth: 3 }).add(text),
    ]) {
      add('2["a",[[1]]]');
      rejects(() => add('2["a",[[[1]]]]'), "INVALID_PAYLOAD");
    }
    new PacketDecoder({ maxDepth: 10_000 }).add(`2["a",${arrays(9999)}]`);
  });

  it("does not count brackets one after the other", () => {
    new PacketDecoder().add(`2["a"${",[]".repeat(5000)}${",{}".repeat(5000)}]`);
  });

  for (const [what, text] of Object.entries({
    "in strings": "[".repeat(5000),
    "in short strings": `${"[".repeat(9)}","`.repeat(1000),
    "behind escaped quotes": '\\"['.repeat(5000),
    "behind escaped quotes, far apart": `${"x".repeat(100)}\\"[`.repeat(5000),
    "behind escaped backslashes and quotes": '\\\\\\"['.repeat(5000),
  })) {
    it(`does not count brackets ${what}`, () => {
      const packet = `2["a","${text}"]`;
      assert.deepEqual(new PacketDecoder().add(packet)?.data, JSON.parse(packet.slice(1)));
    });

    it(`counts the brackets behind those ${what}`, () => {
      rejects(() => new PacketDecoder().add(`2["a","${text}",${arrays(500)}]`), "INVALID_PAYLOAD");
    });
  }

  it("counts brackets behind a string that ends in a backslash, whatever its length", () => {
    for (let length = 0; length < 100; length++) {
      const text = `2["a","${"x".repeat(length)}\\\\",${arrays(500)}]`;
      rejects(() => new PacketDecoder().add(text), "INVALID_PAYLOAD");
    }
  });
});

describe("the depth of what another parser yields", () => {
  /** What the decoder of the parser makes of a packet. */
  const decode = (parser: Parser, messages: unknown[]): Packet[] => {
    const packets: Packet[] = [];
    const decoder = createDecoder(parser, { ondecoded: (packet) => void packets.push(packet) });
    for (const message of messages) decoder.add(message as string | Buffer);
    return packets;
  };
  const parser = msgpack as unknown as Parser;
  const encoded = (data: unknown): unknown[] => new parser.Encoder().encode({ type: 2, nsp: "/", data });

  it("may be 500, and no more", () => {
    for (const nested of [arrays, objects]) {
      const data = (depth: number): unknown => ["a", JSON.parse(nested(depth - 1))];
      assert.equal(decode(parser, encoded(data(500))).length, 1);
      rejects(() => decode(parser, encoded(data(501))), "INVALID_PAYLOAD");
    }
  });

  it("does not end at a cycle", () => {
    const cyclic: unknown[] = ["a"];
    cyclic.push(cyclic);
    class Cyclic extends Decoder {
      override add(): void {
        this.emit("decoded", { type: 2, nsp: "/", data: cyclic });
      }
    }
    class NotOurs {
      readonly inner = new Cyclic();
      add = (): void => this.inner.add();
      on = (_event: "decoded", listener: (packet: Packet) => void): unknown =>
        this.inner.on("decoded", listener);
      destroy = (): void => {};
    }
    assert.equal(decode({ Encoder, Decoder: NotOurs }, ["x".repeat(1000)]).length, 1);
  });

  it("is left to a decoder of this package with its own limit", () => {
    class Deep extends Decoder {
      constructor() {
        super({ maxDepth: 1000 });
      }
    }
    assert.equal(decode({ ...defaultParser, Decoder: Deep }, [`2["a",${arrays(999)}]`]).length, 1);
    rejects(() => decode({ ...defaultParser, Decoder: Deep }, [`2["a",${arrays(1000)}]`]), "INVALID_PAYLOAD");
  });
});

describe("a packet whose attachments are still to come", () => {
  it("is announced to the receiver, which may refuse it", () => {
    const announced: Packet[] = [];
    const decoder = createDecoder(defaultParser, {
      ondecoded: () => assert.fail(),
      onannounced(packet) {
        announced.push(packet);
        decoder.destroy();
      },
    });
    decoder.add('51-/admin,["a",{"_placeholder":true,"num":0}]');
    assert.equal(announced[0]?.nsp, "/admin");
    rejects(() => decoder.add(Buffer.from("x")), "UNEXPECTED_BINARY");
  });
});
