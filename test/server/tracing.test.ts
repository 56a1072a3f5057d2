// The tracing channels of `node:diagnostics_channel`.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import type { Server, Socket } from "@tidewire/server";
import { testServer } from "@tidewire/testing";
import type { TestServer } from "@tidewire/testing";
import { closing } from "../support/waiting/closing.ts";

type Name = "event" | "ack" | "connect" | "broadcast";
type Step = "start" | "end" | "asyncStart" | "asyncEnd" | "error";
type Trace = Record<string, unknown>;

/** Subscribes to a channel until the end of the test. */
function traced(name: Name): Disposable & { readonly steps: [Step, Trace][]; readonly names: Step[] } {
  const channel = tracingChannel<unknown, Trace>(`tidewire:${name}`);
  const steps: [Step, Trace][] = [];
  const step =
    (key: Step) =>
    (trace: unknown): unknown =>
      steps.push([key, trace as Trace]);
  const subscribers = {
    start: step("start"),
    end: step("end"),
    asyncStart: step("asyncStart"),
    asyncEnd: step("asyncEnd"),
    error: step("error"),
  };
  channel.subscribe(subscribers);
  return {
    ...closing(() => channel.unsubscribe(subscribers)),
    steps,
    get names() {
      return steps.map(([key]) => key);
    },
  };
}

function socketOf({ io }: TestServer): Socket {
  return [...io.sockets.sockets.values()][0]!;
}

function application(io: Server): void {
  io.use((socket, next) => {
    const { token } = socket.handshake.auth;
    next(token === "wrong" ? new Error("not you") : undefined);
  });
  io.on("connection", (socket) => {
    socket.on("sum", (a: number, b: number, answer: (sum: number) => void) => answer(a + b));
    socket.on("later", () => new Promise((resolve) => setImmediate(resolve)));
    socket.on("never", () => Promise.reject(new Error("no")));
  });
}

describe("tidewire:event", () => {
  it("says when the listeners of an event begin and end, with its arguments", async () => {
    await using server = await testServer(application);
    const client = await server.connect();
    using trace = traced("event");
    assert.equal(await client.emitWithAck("sum", 1, 2), 3);
    assert.deepEqual(trace.names, ["start", "end"]);
    const { socket, namespace, event, args } = trace.steps[0]![1];
    assert.equal(socket, socketOf(server));
    assert.deepEqual([namespace, event, (args as unknown[]).slice(0, 2)], ["/", "sum", [1, 2]]);
  });

  it("says when the promises of the listeners are settled", async () => {
    await using server = await testServer(application);
    const client = await server.connect();
    using trace = traced("event");
    client.emit("later");
    await server.settled();
    while (trace.steps.length < 4) await new Promise(setImmediate);
    assert.deepEqual(trace.names, ["start", "end", "asyncStart", "asyncEnd"]);
  });

  it("says what a listener has rejected with, which surfaces as usual", async () => {
    await using server = await testServer(application);
    const client = await server.connect();
    using trace = traced("event");
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    using _listeners = closing(() => {
      for (const listener of listeners) process.on("unhandledRejection", listener);
    });
    const surfaced = new Promise<unknown>((resolve) => process.once("unhandledRejection", resolve));
    client.emit("never");
    assert.equal(((await surfaced) as Error).message, "no");
    assert.deepEqual(trace.names, ["start", "end", "error", "asyncStart", "asyncEnd"]);
    assert.equal((trace.steps.at(-1)![1]["error"] as Error).message, "no");
  });

  it("runs the listeners in the store that is bound to it", async () => {
    const storage = new AsyncLocalStorage<string>();
    const { start } = tracingChannel<string, Trace>("tidewire:event");
    start.bindStore(storage, (trace) => `span of ${String(trace["event"])}`);
    using _store = closing(() => start.unbindStore(storage));
    const stores: unknown[] = [];
    await using server = await testServer((io) => {
      io.on("connection", (socket) => {
        socket.on("work", async (answer: () => void) => {
          stores.push(storage.getStore());
          await Promise.resolve();
          stores.push(storage.getStore());
          answer();
        });
      });
    });
    const client = await server.connect();
    await client.emitWithAck("work");
    assert.deepEqual(stores, ["span of work", "span of work"]);
    assert.equal(storage.getStore(), undefined);
  });
});

describe("tidewire:ack", () => {
  it("lasts from the question to the answer", async () => {
    await using server = await testServer(application);
    const client = await server.connect();
    client.on("question", (answer: (text: string) => void) => answer("yes"));
    using trace = traced("ack");
    const answer = socketOf(server).emitWithAck("question");
    assert.deepEqual(trace.names, ["start", "end"]);
    assert.equal(await answer, "yes");
    assert.deepEqual(trace.names, ["start", "end", "asyncStart", "asyncEnd"]);
    assert.deepEqual([trace.steps[0]![1]["event"], trace.steps[0]![1]["result"]], ["question", "yes"]);
  });

  it("ends with an error when the time is over, also for a broadcast", async () => {
    await using server = await testServer(application, { clock: "manual" });
    await server.connect();
    using trace = traced("ack");
    const answers = Promise.allSettled([
      socketOf(server).timeout(10).emitWithAck("question"),
      server.io.timeout(10).emitWithAck("question"),
    ]);
    await server.clock.advance(10);
    await answers;
    assert.deepEqual(
      trace.names.toSorted(),
      ["start", "end", "error", "asyncStart", "asyncEnd"].flatMap((name) => [name, name]).toSorted(),
    );
    assert.ok(trace.steps.every(([, { error }]) => (error as { code: string }).code === "ACK_TIMEOUT"));
  });
});

describe("tidewire:connect", () => {
  it("lasts until the middlewares have decided", async () => {
    await using server = await testServer(application);
    using trace = traced("connect");
    await server.connect();
    assert.deepEqual(trace.names.toSorted(), ["asyncEnd", "asyncStart", "end", "start"]);
    assert.deepEqual(
      [trace.steps[0]![1]["socket"], trace.steps[0]![1]["namespace"]],
      [socketOf(server), "/"],
    );
  });

  it("ends with the error of a middleware", async () => {
    await using server = await testServer(application);
    using trace = traced("connect");
    await assert.rejects(server.connect("/", { auth: { token: "wrong" } }));
    assert.equal((trace.steps.at(-1)![1]["error"] as Error).message, "not you");
    assert.ok(trace.names.includes("error"));
  });
});

describe("tidewire:broadcast", () => {
  it("says what is sent to whom", async () => {
    await using server = await testServer(application);
    await server.connect();
    using trace = traced("broadcast");
    server.io.to("room").except("others").emit("news", 1, "2");
    socketOf(server).emit("alone");
    assert.deepEqual(trace.names, ["start", "end"]);
    const { server: of, namespace, event, args, rooms, except } = trace.steps[0]![1];
    assert.equal(of, server.io);
    assert.deepEqual([namespace, event, args], ["/", "news", [1, "2"]]);
    assert.deepEqual([rooms, except], [new Set(["room"]), new Set(["others"])]);
  });
});

/** What a plain channel publishes until the end of the test. */
function published(name: string): Disposable & { readonly messages: Trace[] } {
  const messages: Trace[] = [];
  const listener = (message: unknown): void => void messages.push(message as Trace);
  subscribe(name, listener);
  return { ...closing(() => unsubscribe(name, listener)), messages };
}

describe("tidewire:emit", () => {
  it("publishes what is sent to one client, and no broadcasts", async () => {
    await using server = await testServer(application);
    await server.connect();
    using channel = published("tidewire:emit");
    const socket = socketOf(server);
    socket.emit("alone", 1, "2");
    server.io.emit("all");
    socket.timeout(1).emit("asked", () => {});
    const [alone, asked, ...others] = channel.messages;
    assert.deepEqual(alone, { socket, namespace: "/", event: "alone", args: [1, "2"] });
    assert.deepEqual([asked!["event"], (asked!["args"] as unknown[]).length], ["asked", 1]);
    assert.deepEqual(others, []);
  });
});

describe("tidewire:disconnect", () => {
  it("publishes why a socket has left, once", async () => {
    await using server = await testServer(application);
    const client = await server.connect();
    const socket = socketOf(server);
    using channel = published("tidewire:disconnect");
    client.disconnect();
    await server.settled();
    socket.disconnect();
    const reason = "client namespace disconnect";
    assert.deepEqual(channel.messages, [{ socket, namespace: "/", reason, description: undefined }]);
  });
});
