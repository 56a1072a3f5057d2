// The context of OpenTelemetry over events: `@tidewire/metrics/opentelemetry`, and its client.
import assert from "node:assert/strict";
import { context, propagation, trace } from "@opentelemetry/api";
import type { Span, Tracer } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { defineContract } from "@tidewire/contract";
import { carryContext } from "@tidewire/metrics/opentelemetry";
import { carryContext as carryClientContext } from "@tidewire/metrics/opentelemetry/client";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { z } from "zod";
import { cluster } from "../support/cluster/adapter.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { connected, settled, transports } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { ClientSocket, Socket } from "../support/server/socketio.ts";
import type { ClientOptions, StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";

const KEY = "tidewire:context";
const exporter = new InMemorySpanExporter();
let provider: NodeTracerProvider;
let tracer: Tracer;

before(() => {
  provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  tracer = provider.getTracer("test");
});

beforeEach(() => exporter.reset());

after(async () => {
  for (const api of [trace, context, propagation]) api.disable();
  await provider.shutdown();
});

/** Runs a function within a span of its own. */
function spanning<T>(name: string, run: (span: Span) => T): T {
  return tracer.startActiveSpan(name, (span) => {
    try {
      return run(span);
    } finally {
      span.end();
    }
  });
}

/** A span that begins and ends here. */
function note(name: string): void {
  tracer.startSpan(name).end();
}

function spanOf(name: string): ReadableSpan {
  const span = exporter.getFinishedSpans().find((each) => each.name === name);
  assert.ok(span !== undefined, `there is no span ${name}`);
  return span;
}

/** Asserts that the parent of a span came over the wire. */
function assertRemoteChild(name: string, parentName: string): void {
  const child = spanOf(name);
  const { traceId, spanId } = spanOf(parentName).spanContext();
  const { parentSpanContext } = child;
  assert.deepEqual([parentSpanContext?.spanId, parentSpanContext?.isRemote], [spanId, true]);
  assert.equal(child.spanContext().traceId, traceId);
}

/** The messages of Engine.IO that a client gets and sends. */
interface Wire {
  readonly received: string[];
  readonly sent: string[];
}

function wireOf(client: ClientSocket): Wire {
  const wire: Wire = { received: [], sent: [] };
  const note =
    (list: string[]) =>
    ({ type, data }: { type: string; data?: unknown }): void => {
      if (type === "message" && typeof data === "string")
        list.push(data.replace(/"sid":"[^"]*"/, '"sid":"…"'));
    };
  client.io.engine.on("packet", note(wire.received));
  client.io.engine.on("packetCreate", note(wire.sent));
  return wire;
}

interface Party {
  readonly client: ClientSocket;
  readonly socket: Socket;
  readonly wire: Wire;
}

/** A client, with the wrapper unless `isPlain`, and its socket. */
async function join(running: StartedServer, options: ClientOptions = {}, isPlain = false): Promise<Party> {
  const client = running.client({ ...options, autoConnect: false });
  if (!isPlain) carryClientContext(client);
  client.connect();
  const wire = wireOf(client);
  const [[socket]] = await Promise.all([next<[Socket]>(running.io, "connection"), connected(client)]);
  return { client, socket, wire };
}

async function carrying(
  host: ServerHost,
  options: Parameters<ServerHost["start"]>[0] = {},
): Promise<StartedServer> {
  const running = await host.start(options);
  carryContext(running.io);
  return running;
}

onEveryHost("the context of events", serverHosts, (host) => {
  for (const name of ["polling", "websocket"] as const) {
    const mode = transports[name];

    it(`reaches the listeners of the server, and those of the client, over ${name}`, async () => {
      await using running = await carrying(host);
      const { client, socket } = await join(running, mode);
      socket.on("order", (...args: unknown[]) => {
        note("order");
        (args.at(-1) as (answer: unknown) => void)(args.slice(0, -1));
      });
      const answered = spanning("click", () => client.emitWithAck("order", "tea", 2));
      assert.deepEqual(await answered, ["tea", 2]);
      assertRemoteChild("order", "click");
      const ready = new Promise<unknown[]>((resolve) => {
        client.on("ready", (...args: unknown[]) => {
          note("ready");
          resolve(args);
        });
      });
      spanning("brew", () => socket.emit("ready", "tea", Buffer.from([1])));
      assert.deepEqual(await ready, ["tea", Buffer.from([1])]);
      assertRemoteChild("ready", "brew");
      assert.notEqual(spanOf("order").spanContext().traceId, spanOf("ready").spanContext().traceId);
    });
  }

  it("is that of the question in the callbacks of both sides", async () => {
    await using running = await carrying(host);
    const { client, socket } = await join(running);
    client.on("question", (answer: () => void) => answer());
    socket.on("question", (answer: () => void) => answer());
    for (const [side, asking] of [
      ["client", client],
      ["server", socket],
    ] as const) {
      const answered = spanning(
        `asks: ${side}`,
        () => new Promise<void>((resolve) => asking.emit("question", () => resolve(note(`hears: ${side}`)))),
      );
      await answered;
      const { parentSpanContext } = spanOf(`hears: ${side}`);
      assert.equal(parentSpanContext?.spanId, spanOf(`asks: ${side}`).spanContext().spanId);
      assert.notEqual(parentSpanContext?.isRemote, true);
    }
  });

  it("reaches middlewares and catch-all listeners, which get the arguments alone", async () => {
    await using running = await carrying(host);
    const { client, socket } = await join(running);
    const seen: unknown[] = [];
    const see =
      (what: string) =>
      (...args: unknown[]): void => {
        seen.push([what, ...args]);
        note(what);
      };
    socket.use((event, passOn) => {
      see("use")(...event);
      passOn();
    });
    socket.onAny(see("onAny"));
    socket.onAnyOutgoing(see("onAnyOutgoing"));
    client.onAny(see("client.onAny"));
    client.onAnyOutgoing(see("client.onAnyOutgoing"));
    const heard = next(client, "b");
    socket.on("a", () => spanning("answers", () => socket.emit("b", 2)));
    spanning("asks", () => client.emit("a", 1));
    await heard;
    assert.deepEqual(seen, [
      ["client.onAnyOutgoing", "a", 1],
      ["onAny", "a", 1],
      ["use", "a", 1],
      ["onAnyOutgoing", "b", 2],
      ["client.onAny", "b", 2],
    ]);
    for (const name of ["onAny", "use", "answers"]) assertRemoteChild(name, "asks");
    assertRemoteChild("client.onAny", "answers");
  });

  it("is on the wire as the last argument, and nothing is without a span", async () => {
    await using running = await carrying(host);
    const { client, socket, wire } = await join(running);
    const carried = spanning("a", (span) => {
      client.emit("a", 1);
      socket.emit("b");
      const { traceId, spanId } = span.spanContext();
      return `{"${KEY}":{"traceparent":"00-${traceId}-${spanId}-01"}}`;
    });
    client.emit("c");
    await settled(client, socket);
    assert.deepEqual(wire.sent, [`0{"${KEY}":1}`, `2["a",1,${carried}]`, '2["c"]', '2["settle"]']);
    assert.deepEqual(wire.received, [`0{"sid":"…","${KEY}":1}`, `2["b",${carried}]`, '2["settled"]']);
    assert.deepEqual(socket.handshake.auth, {});
  });

  it("is kept from clients that have not asked, which see what they always see", async () => {
    const wires: Wire[] = [];
    for (const carries of [true, false]) {
      await using running = await host.start();
      if (carries) carryContext(running.io);
      const { client, socket, wire } = await join(running, { auth: { token: "x" } }, true);
      const [args] = await spanning("both", () => {
        client.emit("a", 1);
        socket.emit("b", 2);
        return Promise.all([next(socket, "a"), next(client, "b")]);
      });
      assert.deepEqual(args, [1]);
      assert.deepEqual(socket.handshake.auth, { token: "x" });
      wires.push({ sent: [...wire.sent], received: [...wire.received] });
    }
    assert.deepEqual(wires[0], wires[1]);
    assert.deepEqual(wires[0]!.sent, ['0{"token":"x"}', '2["a",1]']);
  });

  it("is kept from servers that do not carry it, whatever the client has sent before it knew", async () => {
    await using running = await host.start();
    const got: unknown[][] = [];
    running.io.on("connection", (socket) => socket.on("early", (...args: unknown[]) => got.push(args)));
    const client = running.client({ autoConnect: false, auth: (done) => done({ token: "x" }) });
    carryClientContext(client);
    spanning("early", () => client.emit("early", 1));
    client.connect();
    const wire = wireOf(client);
    const [socket] = await next<[Socket]>(running.io, "connection");
    await connected(client);
    spanning("late", () => client.emit("early", 2));
    await settled(client, socket);
    assert.deepEqual(got, [[1], [2]]);
    assert.deepEqual(wire.sent, [`0{"token":"x","${KEY}":1}`, '2["early",1]', '2["early",2]', '2["settle"]']);
  });

  it("is that in which an event was emitted, although it is sent later", async () => {
    await using running = await carrying(host);
    running.io.on("connection", (socket) =>
      socket.on("early", (name: string, answer: () => void) => {
        note(name);
        answer();
      }),
    );
    for (const [name, options] of [
      ["buffered", {}],
      ["queued", { retries: 1, ackTimeout: 10_000 }],
    ] as const) {
      const client = running.client({ autoConnect: false, ...options });
      carryClientContext(client);
      const answered = spanning(`emits: ${name}`, () => client.emitWithAck("early", name));
      spanning("another", () => client.connect());
      await answered;
      assertRemoteChild(name, `emits: ${name}`);
    }
  });

  it("is carried again after a reconnection, also by a wrapper that came too late for the first connection", async () => {
    await using running = await carrying(host);
    const { client, wire } = await join(running, {}, true);
    running.io.on("connection", (socket) =>
      socket.on("work", (answer: () => void) => {
        note("work");
        answer();
      }),
    );
    carryClientContext(client);
    spanning("unasked", () => client.emit("a"));
    assert.deepEqual(wire.sent, ["0", '2["a"]']);
    client.disconnect();
    for (const time of ["second", "third"]) {
      client.connect();
      await connected(client);
      exporter.reset();
      await spanning(time, () => client.emitWithAck("work"));
      assertRemoteChild("work", time);
      client.disconnect();
    }
  });

  it("is not taken from an argument that looks like it", async () => {
    await using running = await carrying(host);
    const { client, socket } = await join(running);
    const lookalike = { [KEY]: { traceparent: "mine" } };
    const heard = Promise.all([next(socket, "a"), next(client, "a")]);
    client.emit("a", lookalike);
    socket.emit("a", lookalike);
    assert.deepEqual(await heard, [[lookalike], [lookalike]]);
  });

  it("does not come with broadcasts", async () => {
    await using running = await carrying(host);
    const { client, socket, wire } = await join(running);
    spanning("tells all", () => running.io.emit("news"));
    await settled(client, socket);
    assert.deepEqual(wire.received.slice(1), ['2["news"]', '2["settled"]']);
  });

  it("comes before the offset of connection state recovery", async () => {
    await using running = await carrying(host, { connectionStateRecovery: {} });
    const { client, socket } = await join(running);
    const heard = new Promise<unknown[]>((resolve) => {
      client.on("b", (...args: unknown[]) => {
        note("b");
        resolve(args);
      });
    });
    spanning("a", () => socket.emit("b", 1));
    const [first, offset, ...others] = await heard;
    assert.deepEqual([first, typeof offset, others], [1, "string", []]);
    assertRemoteChild("b", "a");
  });

  it("is no argument for a contract", async () => {
    const events = {
      serverToClient: {},
      clientToServer: { add: { args: [z.number(), z.number()], ack: z.number() } },
    };
    await using running = await carrying(host, { contract: defineContract(events) } as object);
    const { client, socket } = await join(running);
    socket.on("add", (a: number, b: number, answer: (sum: number) => void) => {
      note("add");
      answer(a + b);
    });
    assert.equal(await spanning("asks", () => client.emitWithAck("add", 1, 2)), 3);
    assertRemoteChild("add", "asks");
  });

  it("concerns one namespace and its children, if that is what was asked for", async () => {
    await using running = await host.start();
    const { io } = running;
    const end = carryContext(io.of(/^\/shop-\d$/));
    for (const [name, acceptance] of [
      ["/shop-1", `,"${KEY}":1`],
      ["/other", ""],
    ] as const) {
      if (name === "/other") io.of(name);
      const client = carryClientContext(running.client({ autoConnect: false }, name));
      client.connect();
      const wire = wireOf(client);
      await connected(client);
      assert.deepEqual(wire.received, [`0${name},{"sid":"…"${acceptance}}`]);
    }
    end();
    const client = carryClientContext(running.client({ autoConnect: false }, "/shop-1"));
    client.connect();
    const wire = wireOf(client);
    await connected(client);
    assert.deepEqual(wire.received, ['0/shop-1,{"sid":"…"}']);
  });

  it("contains the baggage only if both sides have asked for it", async () => {
    await using running = await host.start();
    const baggageOf = (socket: ClientSocket | Socket): Promise<string | undefined> =>
      new Promise((resolve) => {
        socket.on("a", () => resolve(propagation.getActiveBaggage()?.getEntry("user")?.value));
      });
    const baggage = propagation.createBaggage({ user: { value: "7" } });
    const within = propagation.setBaggage(context.active(), baggage);
    for (const [ofServer, ofClient, expected] of [
      [true, true, "7"],
      [true, false, undefined],
      [false, true, undefined],
    ] as const) {
      carryContext(running.io, { baggage: ofServer });
      const client = carryClientContext(running.client({ autoConnect: false }), { baggage: ofClient });
      client.connect();
      const [socket] = await next<[Socket]>(running.io, "connection");
      await connected(client);
      const heard = Promise.all([baggageOf(socket), baggageOf(client)]);
      context.with(within, () => [client.emit("a"), socket.emit("a")]);
      assert.deepEqual(await heard, [expected, expected]);
    }
  });

  it("reaches the other servers of a cluster on request", async () => {
    const adapter = cluster() as never;
    await using one = await host.start({ adapter });
    await using other = await host.start({ adapter });
    carryContext(one.io, { servers: true });
    carryContext(other.io);
    const args = new Promise<unknown[]>((resolve) => {
      other.io.on("job", (...given: unknown[]) => {
        note("job");
        (given.at(-1) as (answer: string) => void)("done");
        resolve(given.slice(0, -1));
      });
    });
    const answers = spanning("orders", () => one.io.serverSideEmitWithAck("job", 1));
    assert.deepEqual(await args, [1]);
    assert.deepEqual(await answers, ["done"]);
    assertRemoteChild("job", "orders");
  });

  it("survives what a stranger writes into it", async () => {
    await using running = await carrying(host);
    const { client, socket } = await join(running);
    const got: unknown[][] = [];
    socket.on("a", (...args: unknown[]) => got.push(args));
    const { engine } = client.io;
    for (const fields of [
      "{}",
      "[]",
      '{"traceparent":7}',
      '{"traceparent":"x","__proto__":{"traceparent":"y"}}',
    ])
      engine.write(`2["a",1,{"${KEY}":${fields}}]`);
    engine.write(`2["a",{"${KEY}":null}]`);
    await settled(client, socket);
    assert.deepEqual(got, [[1], [1], [1], [1], [{ [KEY]: null }]]);
  });
});

describe("carryContext()", () => {
  it("refuses the objects of other packages", () => {
    const io = new Server();
    const given = io as unknown as Parameters<typeof carryContext>[0];
    assert.throws(() => carryContext(given), { name: "TypeError", code: "CANNOT_CARRY" });
    assert.throws(() => carryClientContext({ active: false, connected: false }), {
      name: "TypeError",
      code: "CANNOT_CARRY",
    });
  });

  it("may be called twice", () => {
    const client = connect("http://localhost", { autoConnect: false });
    assert.equal(carryClientContext(carryClientContext(client)), client);
    spanning("a", () => client.emit("a", 1));
    const [packet] = client.sendBuffer as unknown as { data: unknown[] }[];
    assert.equal(packet!.data.length, 3);
  });
});
