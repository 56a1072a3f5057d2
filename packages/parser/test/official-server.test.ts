import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import type { Socket as ServerSocket } from "socket.io";
import { io } from "socket.io-client";
import type { Socket as ClientSocket } from "socket.io-client";
import { Decoder, Encoder, PacketType, protocol } from "@tidewire/parser";

const ours = { Encoder, Decoder, PacketType, protocol };
const bytes = Buffer.from([0, 1, 2, 255]);

interface Pair extends AsyncDisposable {
  readonly client: ClientSocket;
  readonly server: ServerSocket;
}

/** An official server and an official client, connected to namespace `/admin`, each with the parser given. */
async function connect(transport: string, parsers: { server?: object; client?: object }): Promise<Pair> {
  const httpServer = createServer();
  const ioServer = new Server(httpServer, parsers.server ? { parser: parsers.server } : {});
  await new Promise<void>((resolve) => httpServer.listen(0, resolve));
  const { port } = httpServer.address() as AddressInfo;
  const connected = new Promise<ServerSocket>((resolve) => ioServer.of("/admin").once("connection", resolve));
  const client = io(`http://localhost:${port}/admin`, {
    transports: [transport],
    auth: { token: "x" },
    reconnection: false,
    forceNew: true,
    ...(parsers.client ? { parser: parsers.client } : {}),
  });
  const [server] = await Promise.all([connected, received(client, "connect")]);
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await ioServer.close();
    },
  };
}

const received = (socket: ClientSocket | ServerSocket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

const setups: Record<string, { server?: object; client?: object }> = {
  "official server with our parser, official client": { server: ours },
  "official server, official client with our parser": { client: ours },
};

for (const [setup, parsers] of Object.entries(setups)) {
  for (const transport of ["websocket", "polling"]) {
    describe(`${setup}, over ${transport}`, () => {
      it("connects with auth", async () => {
        await using pair = await connect(transport, parsers);
        assert.deepEqual(pair.server.handshake.auth, { token: "x" });
      });

      it("exchanges events", async () => {
        await using pair = await connect(transport, parsers);
        const atServer = received(pair.server, "hello");
        pair.client.emit("hello", "é€😀", 1, null, { a: [true] });
        assert.deepEqual(await atServer, ["é€😀", 1, null, { a: [true] }]);
        const atClient = received(pair.client, "hello");
        pair.server.emit("hello", "é€😀", 1, null, { a: [true] });
        assert.deepEqual(await atClient, ["é€😀", 1, null, { a: [true] }]);
      });

      it("exchanges binary at any depth, in order", async () => {
        await using pair = await connect(transport, parsers);
        const atServer = received(pair.server, "files");
        pair.client.emit("files", bytes, { b: [bytes, "x"] });
        assert.deepEqual(await atServer, [bytes, { b: [bytes, "x"] }]);
        const atClient = received(pair.client, "files");
        pair.server.emit("files", bytes, { b: [new Uint8Array(bytes), "x"] });
        assert.deepEqual(await atClient, [bytes, { b: [bytes, "x"] }]);
      });

      it("acknowledges in both directions, with binary", async () => {
        await using pair = await connect(transport, parsers);
        pair.server.on("sum", (a: number, b: number, callback: (...args: unknown[]) => void) =>
          callback(a + b, bytes),
        );
        const sum = await new Promise((resolve) =>
          pair.client.emit("sum", 1, 2, (...args: unknown[]) => resolve(args)),
        );
        assert.deepEqual(sum, [3, bytes]);
        pair.client.on("echo", (data: unknown, callback: (data: unknown) => void) => callback(data));
        assert.deepEqual(await pair.server.timeout(5000).emitWithAck("echo", { bytes }), { bytes });
      });

      it("broadcasts, as the adapter encodes it", async () => {
        await using pair = await connect(transport, parsers);
        const atClient = received(pair.client, "all");
        pair.server.nsp.emit("all", bytes, 1);
        assert.deepEqual(await atClient, [bytes, 1]);
      });

      it("refuses an unknown namespace", async () => {
        await using pair = await connect(transport, parsers);
        const other = pair.client.io.socket("/unknown");
        other.connect();
        const [error] = await received(other, "connect_error");
        assert.equal((error as Error).message, "Invalid namespace");
        other.disconnect();
      });

      it("leaves the namespace", async () => {
        await using pair = await connect(transport, parsers);
        const left = received(pair.server, "disconnect");
        pair.client.disconnect();
        assert.equal((await left)[0], "client namespace disconnect");
      });
    });
  }
}
