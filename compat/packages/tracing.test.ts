import assert from "node:assert/strict";
import { context, propagation, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { carryContext } from "@tidewire/metrics/opentelemetry/client";
import type { Socket } from "socket.io-client";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { eventually } from "./support/cluster.ts";
import { isOracle } from "../support/installation.ts";
import { connect, program, published } from "./support/published.ts";

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Record<string, unknown>;
  readonly status: { readonly code: number; readonly message?: string };
}

/** A span, and the one that it is a part of. */
interface Family {
  readonly name: string;
  readonly event: string;
  readonly own: { readonly traceId: string; readonly spanId: string };
  readonly parent?: { readonly traceId: string; readonly spanId: string };
}

published("@opentelemetry/instrumentation-socket.io", (host) => {
  const server = program("tracing", host, () => ({ carries: !isOracle }));
  const open = async (namespace = ""): Promise<Socket> => {
    const client = connect(server().url + namespace);
    await connected(client);
    await server().call("spans");
    return client;
  };
  const spans = (): Promise<Span[]> => server().call("spans");

  it("traces a received event, and the event sent in response", async () => {
    const client = await open();
    await client.emitWithAck("hello", "there");
    const [sent, received] = await spans();
    assert.deepEqual(sent, send("/", "world", [client.id, "red", "blue"]));
    assert.deepEqual(received, receive("hello", '["there",null]'));
  });

  it("traces a broadcast to rooms", async () => {
    const client = await open();
    const heard = next(client, "all");
    await server().call("broadcast");
    await heard;
    assert.deepEqual(await spans(), [send("/", "all", ["red", "blue"])]);
  });

  it("traces a broadcast of a namespace", async () => {
    const client = await open("/orders");
    const heard = next(client, "all");
    await server().call("orders");
    await heard;
    assert.deepEqual(await spans(), [send("/orders", "all")]);
  });

  it("traces a listener that throws", async () => {
    const client = await open();
    client.emit("fail");
    const all = await eventually(spans, (some) => some.length > 0);
    assert.deepEqual(all, [{ ...receive("fail", "[]"), status: { code: 2, message: "no" } }]);
  });

  if (!isOracle)
    it("continues the trace of a client that carries its context, and the client that of the server", async () => {
      const provider = new NodeTracerProvider();
      provider.register();
      try {
        const client = carryContext(connect(server().url));
        await connected(client);
        await server().call("families");
        const heard = new Promise((resolve) => {
          client.on("world", () => resolve(trace.getActiveSpan()?.spanContext().spanId));
        });
        const span = provider.getTracer("test").startSpan("click");
        const clicked = trace.setSpan(context.active(), span);
        await context.with(clicked, () => client.emitWithAck("hello", "there"));
        const families: Family[] = await server().call("families");
        const received = families.find(({ event }) => event === "hello");
        const sent = families.find(({ event }) => event === "world");
        assert.equal(received?.parent?.spanId, span.spanContext().spanId);
        assert.equal(sent?.parent?.spanId, received.own.spanId);
        assert.equal(await heard, sent.own.spanId);
        assert.equal(sent.own.traceId, span.spanContext().traceId);
      } finally {
        for (const api of [trace, context, propagation]) api.disable();
        await provider.shutdown();
      }
    });
});

const PRODUCER = 3;
const CONSUMER = 4;

function send(namespace: string, event: string, rooms?: unknown[]): Span {
  const attributes = {
    "messaging.system": "socket.io",
    "messaging.destination_kind": "topic",
    "messaging.destination": namespace,
    "messaging.socket.io.event_name": event,
    "messaging.socket.io.namespace": namespace,
    ...(rooms === undefined ? {} : { "messaging.socket.io.rooms": rooms }),
  };
  return { name: `send ${namespace}`, kind: PRODUCER, attributes, status: { code: 0 } };
}

function receive(event: string, payload: string): Span {
  const attributes = {
    "messaging.system": "socket.io",
    "messaging.destination": "/",
    "messaging.operation": "receive",
    "messaging.socket.io.event_name": event,
    payload,
  };
  return { name: "receive /", kind: CONSUMER, attributes, status: { code: 0 } };
}
