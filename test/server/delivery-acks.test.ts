// How long an answer is awaited: ackTimeout, signal(), and the end of the connection.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { Server as OwnServer, Socket as OwnSocket } from "@tidewire/server";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Server, Socket } from "../support/server/socketio.ts";
import { next } from "../support/waiting/events.ts";

/** With the members that the official types do not have. */
function own(socket: Socket): OwnSocket;
function own(io: Server): OwnServer;
function own(thing: object): unknown {
  return thing;
}

const timedOut = { message: "operation has timed out", code: "ACK_TIMEOUT" };
const disconnected = { message: "socket has been disconnected", code: "SOCKET_DISCONNECTED" };

onEveryHost("ackTimeout", serverHosts, (host) => {
  it("ends the wait of emit() and emitWithAck(), which take an error first", async () => {
    await using running = await host.start({ ackTimeout: 250 });
    const { client, socket } = await pair(running);
    client.on("answered", (answer: (text: string) => void) => answer("yes"));
    assert.equal(await socket.emitWithAck("answered"), "yes");
    const answer = await new Promise((resolve) => {
      socket.emit("answered", (...args: unknown[]) => resolve(args));
    });
    assert.deepEqual(answer, [null, "yes"]);
    await assert.rejects(socket.emitWithAck("ignored"), timedOut);
    const [error] = await new Promise<[Error]>((resolve) => {
      socket.emit("ignored", (...args: [Error]) => resolve(args));
    });
    assert.equal(error.message, timedOut.message);
    assert.equal(own(socket).acks.size, 0);
  });

  it("ends the wait of a broadcast, with the answers that came", async () => {
    await using running = await host.start({ ackTimeout: 250 });
    const one = await pair(running);
    await pair(running);
    one.client.on("question", (answer: (text: string) => void) => answer("one"));
    await assert.rejects(own(running.io).emitWithAck("question"), { ...timedOut, responses: ["one"] });
    assert.equal(own(one.socket).acks.size, 0);
  });

  it("gives way to timeout(), and to Infinity for no limit", async () => {
    await using running = await host.start({ ackTimeout: 20 });
    const { client, socket } = await pair(running);
    let answer = (_text: string): void => {};
    client.on("question", (ack: (text: string) => void) => (answer = ack));
    const pending = socket.timeout(Infinity).emitWithAck("question");
    await assert.rejects(socket.emitWithAck("ignored"), timedOut);
    answer("late");
    assert.equal(await pending, "late");
  });
});

onEveryHost("signal()", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("rejects emitWithAck() with the reason of the signal", async () => {
      await using running = await host.start();
      const both = await pair(running, mode);
      const socket = own(both.socket);
      const aborter = new AbortController();
      const pending = socket.signal(aborter.signal).emitWithAck("question");
      const reason = new Error("the user has left the page");
      await settled(both.client, both.socket);
      aborter.abort(reason);
      await assert.rejects(pending, reason);
      assert.equal(socket.acks.size, 0);
    });
  });

  it("has no effect once the answer has come, and is not kept", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    client.on("question", (answer: (text: string) => void) => answer("yes"));
    const { signal } = new AbortController();
    assert.equal(await own(socket).signal(signal).emitWithAck("question"), "yes");
    const answers = await own(running.io).signal(signal).emitWithAck("question");
    assert.deepEqual(answers, ["yes"]);
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });

  it("sends nothing if the signal is aborted already", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    client.onAny((name: string) => assert.equal(name, "settled"));
    const signal = AbortSignal.abort();
    await assert.rejects(own(socket).signal(signal).emitWithAck("question"), { name: "AbortError" });
    await assert.rejects(own(running.io).signal(signal).emitWithAck("question"), { name: "AbortError" });
    await settled(client, socket);
  });

  it("is an error of the callback of emit(), beside a timeout", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const error = await new Promise((resolve) => {
      own(socket).signal(AbortSignal.timeout(10)).timeout(60_000).emit("question", resolve);
    });
    assert.equal((error as Error).name, "TimeoutError");
  });

  it("ends the wait of a broadcast, with the answers that came", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    await pair(running);
    client.on("question", (answer: (text: string) => void) => answer("one"));
    const aborter = new AbortController();
    const result = new Promise<unknown[]>((resolve) => {
      own(running.io)
        .except("nobody")
        .signal(aborter.signal)
        .emit("question", (...args: unknown[]) => resolve(args));
    });
    const pending = own(running.io).signal(aborter.signal).emitWithAck("question");
    // The answer to one event is sent before the next.
    await settled(client, socket);
    await settled(client, socket);
    aborter.abort();
    await assert.rejects(pending, aborter.signal.reason as Error);
    assert.deepEqual(await result, [aborter.signal.reason, ["one"]]);
  });
});

onEveryHost("rejectAcksOnDisconnect", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("rejects what is pending when the client leaves", async () => {
      await using running = await host.start({ rejectAcksOnDisconnect: true });
      const { client, socket } = await pair(running, mode);
      const plain = socket.emitWithAck("question");
      const timed = socket.timeout(60_000).emitWithAck("question");
      const errors: unknown[] = [];
      socket.timeout(60_000).emit("question", (error: unknown) => errors.push(error));
      socket.emit("question", () => assert.fail("has no error to take"));
      const rejected = Promise.all([
        assert.rejects(plain, disconnected),
        assert.rejects(timed, disconnected),
      ]);
      await settled(client, socket);
      client.disconnect();
      await rejected;
      assert.equal((errors[0] as { code: string }).code, "SOCKET_DISCONNECTED");
      await assert.rejects(socket.emitWithAck("question"), disconnected);
    });
  });

  it("applies to what a middleware has asked a client that is refused", async () => {
    await using running = await host.start({ rejectAcksOnDisconnect: true });
    let answer: Promise<unknown> = Promise.resolve();
    running.io.use((socket, done) => {
      answer = socket.emitWithAck("question");
      answer.catch(() => {});
      done(new Error("no"));
    });
    const client = running.client();
    await next(client, "connect_error");
    client.close();
    await assert.rejects(answer, disconnected);
  });

  it("is off by default: a timeout decides", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    const rejected = assert.rejects(socket.timeout(50).emitWithAck("question"), timedOut);
    const gone = next(socket, "disconnect");
    client.disconnect();
    await gone;
    await rejected;
  });
});
