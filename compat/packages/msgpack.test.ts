import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import parser from "socket.io-msgpack-parser";
import { connected, transports } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { connect, program, published } from "./support/published.ts";

published("socket.io-msgpack-parser", (host) => {
  const server = program("msgpack", host);
  const open = async (options: object, namespace = ""): Promise<Socket> => {
    const client = connect(server().url + namespace, { parser, ...options });
    await connected(client);
    return client;
  };

  for (const [name, mode] of Object.entries(transports)) {
    describe(`over ${name}`, () => {
      it("echoes events unchanged", async () => {
        const client = await open(mode);
        const sent = [1, "ü€😀", { deep: [null, true, { n: -1.5 }] }, Buffer.from([0, 255]), ""];
        const echo = next(client, "echo");
        client.emit("echo", ...sent);
        assert.deepEqual(await echo, sent);
      });

      it("exchanges large binary events", async () => {
        const client = await open(mode);
        const bytes = Buffer.alloc(300_000, 5);
        const echo = next<[Buffer]>(client, "echo");
        client.emit("echo", bytes);
        assert.equal(Buffer.compare((await echo)[0], bytes), 0);
      });

      it("exchanges acks both ways", async () => {
        const client = await open({ ...mode, auth: { token: "t" } });
        const answer = await new Promise<unknown[]>((resolve) => {
          client.emit("ask", Buffer.from([9]), (...args: unknown[]) => resolve(args));
        });
        assert.deepEqual(answer, [Buffer.from([9]), { token: "t" }]);
        client.on("question", (value: number, reply: (answer: object) => void) =>
          reply({ value, data: Buffer.from([1]) }),
        );
        assert.deepEqual(await server().call("question", "question", 5), [
          { value: 5, data: Buffer.from([1]) },
        ]);
      });

      it("sends a broadcast to a room", async () => {
        const [client, other] = await Promise.all([open(mode), open(mode)]);
        await client.emitWithAck("join", "red");
        other.on("hello", () => assert.fail("not in the room"));
        const heard = next(client, "hello");
        await server().call("broadcast", "red", "hello", { data: Buffer.from("x") });
        assert.deepEqual(await heard, [{ data: Buffer.from("x") }]);
        await other.emitWithAck("ask", 1);
      });

      it("connects several namespaces over one connection", async () => {
        const client = await open(mode);
        const orders = client.io.socket("/orders", { auth: { who: "ann" } });
        await connected(orders);
        const answer = await new Promise<unknown[]>((resolve) => {
          orders.emit("ask", 1, (...args: unknown[]) => resolve(args));
        });
        assert.deepEqual(answer, [1, { who: "ann" }]);
      });

      it("refuses a client with the error of a middleware", async () => {
        const client = connect(`${server().url}/private`, { parser, ...mode });
        const [error] = await next<[Error & { data: unknown }]>(client, "connect_error");
        assert.deepEqual([error.message, error.data], ["no entry", { code: 7, bytes: Buffer.from([1]) }]);
      });
    });
  }

  it("closes the connection of a client without the parser", async () => {
    const client = connect(server().url, { transports: ["websocket"] });
    const engineClosed = next(client.io, "close");
    assert.deepEqual((await engineClosed)[0], "transport close");
    assert.equal(client.connected, false);
  });
});
