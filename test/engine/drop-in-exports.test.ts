import assert from "node:assert/strict";
import * as tidewire from "@tidewire/engine";
import * as official from "engine.io";

type Parser = typeof official.parser;
type Packet = Parameters<Parser["encodePacket"]>[0];

const ours = tidewire.parser as unknown as Parser;
const theirs = official.parser;

function encoded(parser: Parser, packet: Packet, supportsBinary: boolean): unknown {
  let result: unknown;
  parser.encodePacket(packet, supportsBinary, (made) => (result = made));
  return result;
}

function payload(parser: Parser, packets: Packet[]): unknown {
  let result: unknown;
  parser.encodePayload(packets, (made) => (result = made));
  return result;
}

const packets: Packet[] = [
  { type: "open", data: '{"sid":"x"}' },
  { type: "close" },
  { type: "ping", data: "probe" },
  { type: "pong" },
  { type: "message", data: "häß" },
  { type: "message", data: "" },
  { type: "message" },
  { type: "message", data: Buffer.from([1, 2, 3]) },
  { type: "message", data: new Uint8Array([4, 5]).buffer },
  { type: "message", data: new Uint16Array([6, 7]) },
  { type: "upgrade" },
  { type: "noop" },
];

const malformed = ["", "9", "x", "é", "-1"];

async function through(
  { readable, writable }: { readable: ReadableStream; writable: WritableStream },
  chunks: unknown[],
): Promise<unknown[]> {
  const writer = writable.getWriter();
  const written = Promise.all([...chunks.map((chunk) => writer.write(chunk)), writer.close()]);
  const results: unknown[] = [];
  for await (const result of readable as unknown as AsyncIterable<unknown>) results.push(result);
  await written;
  return results;
}

describe("engine: the exports of engine.io", () => {
  it("all exist", () => {
    const missing = Object.keys(official).filter((name) => !(name in tidewire));
    // tsx adds these two to a CommonJS module.
    assert.deepEqual(
      missing.filter((name) => name !== "default" && name !== "module.exports"),
      [],
    );
  });

  it("are of the same kinds", () => {
    const { Server, uServer, Socket, Transport, listen, attach } = tidewire;
    for (const made of [Server, uServer, Socket, Transport, listen, attach]) {
      assert.equal(typeof made, "function");
    }
    assert.equal(tidewire.protocol, official.protocol);
    assert.deepEqual(Object.keys(tidewire.transports), Object.keys(official.transports));
    assert.deepEqual(Object.keys(tidewire.parser).sort(), Object.keys(official.parser).sort());
  });

  it("have uServer for a server on a uWebSockets.js app", () => {
    assert.equal(tidewire.uServer, tidewire.Server);
  });

  it("have the codes and messages on the class", () => {
    assert.deepEqual({ ...tidewire.Server.errors }, { ...official.Server.errors });
    assert.deepEqual({ ...tidewire.Server.errorMessages }, { ...official.Server.errorMessages });
  });

  it("list the upgrades of a transport", () => {
    const one = new tidewire.Server({ transports: ["polling", "websocket", "webtransport"] });
    const two = new official.Server({ transports: ["polling", "websocket", "webtransport"] });
    for (const transport of ["polling", "websocket", "webtransport"] as const) {
      assert.deepEqual(one.upgrades(transport), two.upgrades(transport));
    }
    two.close();
  });

  it("list each transport class's upgrades, and construct it the same way", () => {
    for (const name of ["polling", "websocket", "webtransport"] as const) {
      const { upgradesTo = [] } = official.transports[name] as { upgradesTo?: string[] };
      assert.deepEqual(tidewire.transports[name].upgradesTo, upgradesTo);
      const { handlesUpgrades = false } = official.transports[name].prototype as {
        handlesUpgrades?: boolean;
      };
      assert.equal(tidewire.transports[name].prototype.handlesUpgrades, handlesUpgrades);
    }
  });

  it("fill in the same defaults, as engine.opts shows them", () => {
    const shown = ({ opts }: { opts: object }): Record<string, unknown> => ({ ...opts });
    const given = { perMessageDeflate: { threshold: 5 }, cookie: { name: "sid" }, pingTimeout: 7 };
    for (const options of [{}, given]) {
      const expected = shown(new official.Server(options));
      // The class of ws, and our own defaults for what is absent there.
      delete expected["wsEngine"];
      // A body is bounded in other ways.
      delete expected["maxBufferedChunks"];
      delete expected["httpRequestBodyTimeout"];
      const actual = shown(new tidewire.Server(options));
      for (const [name, value] of Object.entries(expected)) {
        assert.deepEqual(actual[name] ?? false, value ?? false, name);
      }
    }
  });
});

describe("engine: the parser of engine.io", () => {
  for (const packet of packets) {
    it(`writes ${packet.type} ${String(packet.data)} alike`, () => {
      assert.deepEqual(encoded(ours, packet, true), encoded(theirs, packet, true));
      assert.deepEqual(encoded(ours, packet, false), encoded(theirs, packet, false));
    });
  }

  it("writes a payload alike", () => {
    assert.equal(payload(ours, packets), payload(theirs, packets));
  });

  it("reads what it writes, alike", () => {
    const text = payload(theirs, packets) as string;
    assert.deepEqual(ours.decodePayload(text), theirs.decodePayload(text));
    assert.deepEqual(ours.decodePayload(text, "arraybuffer"), theirs.decodePayload(text, "arraybuffer"));
    for (const packet of packets) {
      // A WebSocket reads bytes, never wider elements.
      if (packet.data instanceof Uint16Array) continue;
      const frame = encoded(theirs, packet, true);
      assert.deepEqual(ours.decodePacket(frame as string), theirs.decodePacket(frame as string));
    }
  });

  for (const text of malformed) {
    it(`reads ${JSON.stringify(text)} as an error, alike`, () => {
      assert.deepEqual(ours.decodePacket(text), theirs.decodePacket(text));
      const around = `4first\x1e${text}\x1e4last`;
      assert.deepEqual(ours.decodePayload(around), theirs.decodePayload(around));
    });
  }

  it("writes a stream that the official one reads", async () => {
    const chunks = await through(ours.createPacketEncoderStream(), packets);
    const read = await through(theirs.createPacketDecoderStream(1_000, "nodebuffer"), chunks);
    const expected = await through(
      theirs.createPacketDecoderStream(1_000, "nodebuffer"),
      await through(theirs.createPacketEncoderStream(), packets),
    );
    assert.deepEqual(read, expected);
  });

  it("reads a stream that the official one writes, however it is cut", async () => {
    const chunks = (await through(theirs.createPacketEncoderStream(), packets)) as Uint8Array[];
    const expected = await through(theirs.createPacketDecoderStream(1_000, "nodebuffer"), chunks);
    const bytes = Array.from(Buffer.concat(chunks), (byte) => Uint8Array.of(byte));
    for (const cut of [chunks, bytes]) {
      assert.deepEqual(await through(ours.createPacketDecoderStream(1_000, "nodebuffer"), cut), expected);
    }
  });

  it("reads a packet beyond maxPayload as an error", async () => {
    const chunks = await through(ours.createPacketEncoderStream(), [{ type: "message", data: "too long" }]);
    const read = await through(ours.createPacketDecoderStream(5, "nodebuffer"), chunks);
    assert.deepEqual(read, [{ type: "error", data: "parser error" }]);
  });
});
