// Data that is nested deeper than what passes it on can bear.
import assert from "node:assert/strict";
import * as msgpack from "socket.io-msgpack-parser";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { pair, settled } from "../support/server/clients.ts";
import { rawPair, rawSession } from "../support/server/wires.ts";

/** `[[…]]`, so many of them. */
const arrays = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

onEveryHost("deep data", serverHosts, (host) => {
  for (const [what, packet] of Object.entries({
    "an event": (inner: string) => `42["echo",${inner}]`,
    "an event with attachments": (inner: string) => `451-["echo",${inner},{"_placeholder":true,"num":0}]`,
    "an answer": (inner: string) => `430[${inner}]`,
  })) {
    it(`in ${what} of a client ends its connection, with the reason`, async () => {
      await using running = await host.start();
      const { wire, socket } = await rawPair(running);
      socket.on("echo", (data: unknown) => socket.emit("echo", data));
      socket.emit("question", () => assert.fail("answered"));
      const gone = next<[string, Error & Record<string, unknown>]>(socket, "disconnect");
      wire.sendText(packet(arrays(4100)));
      const [reason, { code, parseCode, limit }] = await gone;
      assert.deepEqual(
        [reason, code, parseCode, limit],
        ["forced close", "BAD_SOCKET_PACKET", "INVALID_PAYLOAD", 500],
      );
    });
  }

  it("in the credentials of a CONNECT ends its connection", async () => {
    await using running = await host.start();
    running.io.use(() => assert.fail("asked"));
    const wire = await rawSession(running);
    wire.sendText(`40{"token":${arrays(4100)}}`);
    await wire.closed;
  });

  it("through a custom parser ends its connection", async () => {
    await using running = await host.start({ parser: msgpack });
    const { client, socket } = await pair(running, { parser: msgpack, transports: ["websocket"] });
    socket.on("echo", (data: unknown) => socket.emit("echo", data));
    const gone = next<[string, Error & Record<string, unknown>]>(socket, "disconnect");
    client.emit("echo", JSON.parse(arrays(1000)));
    const [reason, { parseCode }] = await gone;
    assert.deepEqual([reason, parseCode], ["forced close", "INVALID_PAYLOAD"]);
  });

  it("is echoed up to the limit, with and without attachments, to one client and to all", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const data: unknown = JSON.parse(arrays(499));
    socket.on("echo", (value: unknown) => {
      socket.emit("one", value);
      socket.emit("binary", value, Buffer.from("x"));
      running.io.emit("all", value);
    });
    const answers = Promise.all(["one", "binary", "all"].map((event) => next(client, event)));
    client.emit("echo", data);
    for (const [value] of await answers) assert.equal(JSON.stringify(value), arrays(499));
  });
});

onEveryHost("data of the application that cannot be encoded", serverHosts, (host) => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  for (const [what, data] of Object.entries({ cyclic, "too deep": JSON.parse(arrays(50_000)) as unknown })) {
    it(`because it is ${what}: emit throws a RangeError, and the socket stays`, async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, { transports: ["websocket"] });
      for (const emit of [
        () => socket.emit("event", data),
        () => socket.emit("event", Buffer.from("x"), data),
        () => socket.nsp.emit("event", data),
      ]) {
        assert.throws(emit, RangeError);
      }
      client.onAny((event: string) => assert.equal(event, "settled"));
      await settled(client, socket);
    });
  }
});

onEveryHost("a packet with attachments for a namespace that was not joined", serverHosts, (host) => {
  it("ends the connection before the first attachment", async () => {
    await using running = await host.start();
    const wire = await rawSession(running);
    const conn = Object.values((running.io.engine as unknown as { clients: object }).clients)[0] as object;
    const closed = next(conn, "close");
    wire.sendText('4510-["event",{"_placeholder":true,"num":0}]');
    const [reason, description] = (await closed) as [string, unknown];
    assert.deepEqual([reason, description], ["forced close", undefined]);
  });

  it("notifies the sockets of the connection", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    const gone = next<[string, Error & Record<string, unknown>]>(socket, "disconnect");
    wire.sendText('451-/none,["event",{"_placeholder":true,"num":0}]');
    const [reason, { code, namespace }] = await gone;
    assert.deepEqual([reason, code, namespace], ["forced close", "NAMESPACE_NOT_JOINED", "/none"]);
  });
});
