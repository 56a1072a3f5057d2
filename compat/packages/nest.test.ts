import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { freePort } from "../../test/support/hosts/free-port.ts";
import { collect, next } from "../../test/support/waiting/events.ts";
import { connected } from "../../test/support/server/clients.ts";
import { eventually } from "./support/cluster.ts";
import { connect, program, published } from "./support/published.ts";

published("@nestjs/platform-socket.io", (host) => {
  const server = program("nest", host, async () => ({ port: await freePort() }));
  const events: unknown[][] = [];
  const seen = async (wanted: unknown[]): Promise<void> => {
    const look = async (): Promise<boolean> => {
      events.push(...(await server().call<unknown[][]>("events")));
      return events.some((event) => event.join() === wanted.join());
    };
    await eventually(look, Boolean);
  };

  for (const transport of ["polling", "websocket"]) {
    describe(`over ${transport}`, () => {
      const open = async (auth: object = {}, namespace = ""): Promise<Socket> => {
        const client = connect(server().url + namespace, { auth, transports: [transport] });
        await connected(client);
        return client;
      };

      it("calls the lifecycle hooks of the gateway", async () => {
        const name = `ann over ${transport}`;
        const client = await open({ name });
        await seen(["init", "function"]);
        await seen(["connection", name]);
        client.close();
        await seen(["disconnect", name]);
      });

      it("sends the return value of a handler as an event", async () => {
        const client = await open();
        const echoed = next(client, "echoed");
        client.emit("echo", { deep: [1, { data: Buffer.from([2]) }] });
        assert.deepEqual(await echoed, [{ deep: [1, { data: Buffer.from([2]) }] }]);
      });

      it("sends the return value of a handler as an ack", async () => {
        const client = await open();
        assert.equal(await client.emitWithAck("sum", [1, 2, 3]), 6);
      });

      it("passes the ack callback to a handler", async () => {
        const client = await open();
        const answer = await new Promise((resolve) => {
          client.emit("acknowledge", "x", (...args: unknown[]) => resolve(args));
        });
        assert.deepEqual(answer, ["x", "by hand"]);
      });

      it("sends each value of an observable as an event", async () => {
        const client = await open();
        const numbers = collect(client, "number", 3);
        client.emit("numbers");
        assert.deepEqual(await numbers, [[1], [2], [3]]);
      });

      it("converts and validates data with a pipe", async () => {
        const client = await open();
        const created = next(client, "created");
        client.emit("create", { text: "hello" });
        assert.deepEqual(await created, [{ isInstance: true, text: "hello" }]);
        const refused = next(client, "exception");
        client.emit("create", { text: "far too long for it" });
        const maxLength = "text must be shorter than or equal to 10 characters";
        assert.deepEqual(await refused, [[{ maxLength }]]);
      });

      it("accepts and refuses events with a guard", async () => {
        const stranger = await open();
        const refused = next<[{ status: string; message: string }]>(stranger, "exception");
        stranger.emit("guarded");
        const [{ status, message }] = await refused;
        assert.deepEqual({ status, message }, { status: "error", message: "Forbidden resource" });
        const friend = await open({ token: "secret" });
        assert.equal(await friend.emitWithAck("guarded"), "let in");
      });

      it("changes the ack with an interceptor", async () => {
        const client = await open();
        assert.deepEqual(await client.emitWithAck("wrapped", 1), { wrapped: 1 });
      });

      it("sends an exception as an event", async () => {
        const client = await open();
        const exception = next(client, "exception");
        client.emit("fail", "no");
        const cause = { pattern: "fail", data: "no" };
        assert.deepEqual(await exception, [{ status: "error", message: "no", cause }]);
      });

      it("passes an exception to a filter of the application", async () => {
        const client = await open();
        const told = next(client, "told");
        client.emit("told", "because");
        assert.deepEqual(await told, [{ reason: "because" }]);
      });

      it("hides the message of an unknown error from clients", async () => {
        const client = await open();
        const exception = next<[{ message: string }]>(client, "exception");
        client.emit("crash");
        assert.equal((await exception)[0].message, "Internal server error");
      });

      it("sends events of a gateway to rooms", async () => {
        const [client, other] = await Promise.all([open(), open()]);
        await Promise.all([client, other].map((one) => one.emitWithAck("sum", [])));
        const joined = next(client, "joined");
        client.emit("join", "red");
        assert.deepEqual(await joined, [client.id]);
        const both = [next(client, "joined"), next(other, "joined")];
        other.emit("join", "red");
        assert.deepEqual(await Promise.all(both), [[other.id], [other.id]]);
      });

      it("serves the namespace of a gateway", async () => {
        const client = connect(`${server().url}/orders`, { transports: [transport] });
        assert.deepEqual(await next(client, "welcome"), ["/orders"]);
        assert.equal(await client.emitWithAck("count"), 1);
      });
    });
  }

  describe("at the end", () => {
    it("disconnects the clients and stops when the application closes", async () => {
      const client = connect(server().url, { transports: ["websocket"] });
      await connected(client);
      const gone = next(client, "disconnect");
      await server().call("close");
      assert.ok(["io server disconnect", "transport close"].includes(String((await gone)[0])));
      await assert.rejects(fetch(server().url));
    });
  });
});
