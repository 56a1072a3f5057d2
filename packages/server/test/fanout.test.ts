import assert from "node:assert/strict";
import type { Message, Session } from "@tidewire/engine";
import { Decoder, Encoder } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";
import type { Socket } from "@tidewire/server";
import { setImmediate as turn } from "node:timers/promises";
import { Adapter } from "socket.io-adapter";
import { MemoryServer } from "./memory.ts";

/** The parser, with its encoder counting what it encodes. */
function counting(): { parser: { Encoder: typeof Encoder; Decoder: typeof Decoder }; encoded: Packet[] } {
  const encoded: Packet[] = [];
  class CountingEncoder extends Encoder {
    override encode(packet: Packet): Array<string | Buffer> {
      encoded.push(packet);
      return super.encode(packet);
    }
  }
  return { parser: { Encoder: CountingEncoder, Decoder }, encoded };
}

/** The messages a session is given from now on. */
function messagesOf(socket: Socket): Message[] {
  const messages: Message[] = [];
  const session = socket.conn as unknown as Session;
  session.sendMessage = (message) => messages.push(message);
  return messages;
}

class ForeignAdapter extends Adapter {}

for (const [name, adapter] of [
  ["the default adapter", undefined],
  ["an adapter derived from socket.io-adapter", ForeignAdapter],
] as const) {
  describe(`a broadcast by ${name}`, () => {
    it("is encoded once, and is one message for all receivers", async () => {
      const { parser, encoded } = counting();
      await using server = new MemoryServer({ parser, ...(adapter && { adapter }) });
      const sockets = [await server.join(), await server.join(), await server.join()].map(([, s]) => s);
      const messages = sockets.map(messagesOf);
      encoded.length = 0;
      server.io.emit("a", Buffer.from([1]));
      assert.equal(encoded.length, 1);
      assert.deepEqual(
        messages.map((list) => list.map(({ data }) => data)),
        Array.from({ length: 3 }, () => ['51-["a",{"_placeholder":true,"num":0}]', Buffer.from([1])]),
      );
      assert.equal(new Set(messages.flat()).size, 2);
    });

    it("with acknowledgement, too", async () => {
      const { parser, encoded } = counting();
      await using server = new MemoryServer({ parser, ...(adapter && { adapter }) });
      const messages = [(await server.join())[1], (await server.join())[1]].map(messagesOf);
      encoded.length = 0;
      server.io.timeout(1000).emit("a", () => {});
      assert.equal(encoded.length, 1);
      assert.deepEqual([messages.flat().length, new Set(messages.flat()).size], [2, 1]);
    });

    it("is passed on by an application that replaces writeToEngine", async () => {
      await using server = new MemoryServer({ ...(adapter && { adapter }) });
      const [, one] = await server.join();
      const [, two] = await server.join();
      const messages = [one, two].map(messagesOf);
      const write = one.client.writeToEngine.bind(one.client);
      one.client.writeToEngine = (packet, options) => write([`${String(packet[0])} `], options);
      server.io.emit("a");
      assert.deepEqual(
        messages.map((list) => list.map(({ data }) => data)),
        [['2["a"] '], ['2["a"]']],
      );
    });

    it("carries whether it may be compressed", async () => {
      await using server = new MemoryServer({ ...(adapter && { adapter }) });
      const messages = messagesOf((await server.join())[1]);
      server.io.emit("a");
      server.io.compress(false).emit("b");
      assert.deepEqual(
        messages.map(({ options }) => options.compress),
        [true, false],
      );
    });

    it("calls the outgoing listeners of each receiver that has one", async () => {
      await using server = new MemoryServer({ ...(adapter && { adapter }) });
      const [, one] = await server.join();
      await server.join();
      const heard: unknown[] = [];
      one.onAnyOutgoing((...args) => heard.push(args));
      server.io.emit("a", 1);
      assert.deepEqual(heard, [["a", 1]]);
    });

    it("reaches a member of several rooms once, and no one in an excepted one", async () => {
      await using server = new MemoryServer({ ...(adapter && { adapter }) });
      const [both, none, out] = [
        (await server.join())[1],
        (await server.join())[1],
        (await server.join())[1],
      ] as const;
      await Promise.all([both.join(["a", "b"]), out.join(["a", "c", "d"]), none.join("d")]);
      const messages = [both, none, out].map(messagesOf);
      server.io.to(["a", "b"]).except("c").emit("x");
      server.io.to("a").except(["c", "d"]).emit("y");
      server.io.except("a").emit("z");
      assert.deepEqual(
        messages.map((list) => list.map(({ data }) => data)),
        [['2["x"]', '2["y"]'], ['2["z"]'], []],
      );
    });
  });
}

describe("a volatile packet", () => {
  it("is dropped for a client without a pending poll, and sent to one with it", async () => {
    await using server = new MemoryServer();
    const [away, awaySocket] = await server.join();
    const [here, hereSocket] = await server.join();
    const response = here.get();
    server.io.volatile.emit("a");
    awaySocket.volatile.emit("b");
    hereSocket.volatile.emit("b");
    assert.deepEqual(await response, ['42["a"]', '42["b"]']);
    awaySocket.emit("c");
    assert.deepEqual(await away.get(), ['42["c"]']);
  });
});

describe("an audience", () => {
  it("leaves out an excepted socket whose client has a method of its own since the last broadcast", async () => {
    await using server = new MemoryServer();
    const sockets: Socket[] = [];
    server.io.on("connection", (socket) => void sockets.push(socket));
    const received: string[][] = [];
    for (let n = 0; n < 6; n++) {
      const webSocket = await server.host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
      const messages: string[] = [];
      received.push(messages);
      webSocket.onmessage = (data) => messages.push(String(data));
      webSocket.send("40");
      await turn();
    }
    server.io.emit("all");
    await turn();
    const [first] = sockets;
    const { client } = first!;
    const write = client.writeToEngine.bind(client);
    client.writeToEngine = (packet, options) => write(packet, options);
    first!.broadcast.emit("others");
    await turn();
    const events = received.map((messages) => messages.filter((text) => text.startsWith("42")));
    assert.deepEqual(events[0], ['42["all"]']);
    assert.deepEqual(
      events.slice(1),
      Array.from({ length: 5 }, () => ['42["all"]', '42["others"]']),
    );
  });
});
