import assert from "node:assert/strict";
import * as official from "socket.io-parser";
import { createDecoder, Decoder, defaultParser, Encoder, PacketType, protocol } from "@tidewire/parser";
import type { EventDecoder, Packet, Parser } from "@tidewire/parser";

const event: Packet = { type: 2, nsp: "/", data: ["a"] };

describe("Decoder as an emitter", () => {
  it("calls every listener of decoded in order", () => {
    const calls: string[] = [];
    const decoder = new Decoder();
    decoder.on("decoded", () => calls.push("first")).on("decoded", () => calls.push("second"));
    decoder.add('2["a"]');
    assert.deepEqual(calls, ["first", "second"]);
  });

  it("calls a once listener once", () => {
    const packets: Packet[] = [];
    const decoder = new Decoder();
    decoder.once("decoded", (packet) => packets.push(packet));
    decoder.add('2["a"]');
    decoder.add('2["b"]');
    assert.deepEqual(packets, [event]);
  });

  for (const remove of ["off", "removeListener"] as const) {
    it(`removes one listener with ${remove}`, () => {
      const calls: string[] = [];
      const decoder = new Decoder();
      const gone = (): number => calls.push("gone");
      decoder.on("decoded", gone);
      decoder.on("decoded", () => calls.push("kept"));
      decoder[remove]("decoded", gone);
      decoder.add('2["a"]');
      assert.deepEqual(calls, ["kept"]);
    });
  }

  it("removes a once listener before it was called", () => {
    const decoder = new Decoder();
    const listener = (): void => assert.fail();
    decoder.once("decoded", listener);
    decoder.off("decoded", listener);
    decoder.add('2["a"]');
  });

  for (const remove of ["off", "removeAllListeners"] as const) {
    it(`removes all listeners with ${remove}()`, () => {
      const decoder = new Decoder();
      decoder.on("decoded", () => assert.fail());
      decoder[remove]();
      decoder.add('2["a"]');
    });
  }

  it("still calls a listener that another one removes meanwhile", () => {
    const calls: string[] = [];
    const decoder = new Decoder();
    const second = (): number => calls.push("second");
    decoder.on("decoded", () => decoder.off("decoded", second));
    decoder.on("decoded", second);
    decoder.add('2["a"]');
    decoder.add('2["a"]');
    assert.deepEqual(calls, ["second"]);
  });

  it("returns whether there was a listener", () => {
    const decoder = new Decoder();
    assert.equal(decoder.emit("decoded", event), false);
    decoder.on("decoded", () => {});
    assert.equal(decoder.emit("decoded", event), true);
  });

  it("accepts a reviver as its only argument, as the official decoder does", () => {
    const packets: Packet[] = [];
    const decoder = new Decoder((_key, value) => (value === 1 ? "one" : value));
    decoder.on("decoded", (packet) => packets.push(packet));
    decoder.add('2["a",1]');
    assert.deepEqual(packets, [{ type: 2, nsp: "/", data: ["a", "one"] }]);
  });
});

describe("createDecoder", () => {
  it("recognises the parser of this package by its Decoder", () => {
    const decoder = createDecoder(
      { Encoder, Decoder, PacketType, protocol },
      { ondecoded: () => assert.fail() },
    );
    assert.deepEqual(decoder.add('2["a"]'), event);
    decoder.destroy();
  });

  it("accepts the official parser", () => {
    const packets: Packet[] = [];
    const decoder = createDecoder(official, { ondecoded: (packet) => packets.push(packet) });
    decoder.add('51-["a",{"_placeholder":true,"num":0}]');
    decoder.add(Buffer.from([1]));
    assert.deepEqual(packets, [{ type: 2, nsp: "/", data: ["a", Buffer.from([1])] }]);
  });

  it("passes on what another parser throws", () => {
    assert.throws(
      () => createDecoder(official, { ondecoded: () => {} }).add("2foo"),
      /^Error: invalid payload$/,
    );
  });

  /** Emits every character of a chunk as an event of that name. */
  class Letters implements EventDecoder {
    destroyed = 0;
    private listener: (packet: Packet) => void = () => {};

    constructor(...args: unknown[]) {
      assert.deepEqual(args, []);
      made.push(this);
    }
    on(_event: "decoded", listener: (packet: Packet) => void): void {
      this.listener = listener;
    }
    add(chunk: string): void {
      for (const letter of chunk) {
        this.listener({ type: 2, nsp: "/", data: [letter] });
      }
    }
    destroy(): void {
      this.destroyed++;
    }
  }
  const made: Letters[] = [];
  const letters: Parser = { Encoder, Decoder: Letters };

  it("passes on all packets that another parser finds in one chunk, or none", () => {
    const names: unknown[] = [];
    const decoder = createDecoder(letters, { ondecoded: ({ data }) => names.push((data as string[])[0]) });
    decoder.add("abc");
    decoder.add("");
    decoder.add("d");
    assert.deepEqual(names, ["a", "b", "c", "d"]);
  });

  it("destroys another parser's decoder and gets no more packets from it", () => {
    const decoder = createDecoder(letters, { ondecoded: () => assert.fail() });
    decoder.destroy();
    decoder.add("a");
    assert.equal(made.at(-1)?.destroyed, 1);
  });

  it("lets a packet handler destroy the decoder in the middle of a chunk", () => {
    let packets = 0;
    const decoder = createDecoder(letters, {
      ondecoded() {
        packets++;
        decoder.destroy();
      },
    });
    decoder.add("abc");
    assert.equal(packets, 1);
  });
});

describe("defaultParser", () => {
  it("fits the parser option", () => {
    assert.deepEqual(defaultParser, { Encoder, Decoder, PacketType, protocol });
  });
});
