import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DataPointType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { openTelemetry, prometheus } from "@tidewire/metrics";
import type { Server } from "@tidewire/server";
import { testServer } from "@tidewire/testing";
import type { TestServer } from "@tidewire/testing";
import promClient from "prom-client";
import { metrics } from "../src/metrics.ts";

const { AggregatorRegistry, Gauge, Registry } = promClient;

/** Reads when the test asks. */
class ManualReader extends MetricReader {
  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

function application(io: Server): void {
  io.of(/^\/room-\d+$/).on("connection", () => {});
  io.on("connection", (socket) => socket.join("lobby"));
}

/** A server with three clients, two of which have left, and a broadcast. */
async function busyServer(): Promise<TestServer> {
  const server = await testServer(application, { stats: true });
  const clients = [await server.connect(), await server.connect(), await server.connect()];
  await server.connect("/room-1");
  await server.connect("/room-2");
  server.io.to("lobby").emit("hello");
  await server.settled();
  clients[0]!.disconnect();
  clients[1]!.disconnect();
  await server.settled();
  return server;
}

/** The lines of Prometheus that say something, by name and labels. */
function linesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** What OpenTelemetry has collected, by name and attributes. */
async function collected(reader: MetricReader): Promise<Map<string, number>> {
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  const values = new Map<string, number>();
  for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics[0]?.metrics ?? []) {
    for (const { attributes, value } of dataPoints)
      values.set(`${descriptor.name} ${JSON.stringify(attributes)}`, value as number);
  }
  return values;
}

describe("prometheus()", () => {
  it("adds to a registry of prom-client what io.stats() says", async () => {
    await using server = await busyServer();
    const register = new Registry();
    prometheus(server.io, { register });
    const lines = linesOf(await register.metrics());
    const { traffic } = server.io.stats();
    assert.deepEqual(
      [
        'tidewire_connections{transport="websocket"}',
        'tidewire_sockets{namespace="/"}',
        'tidewire_sockets{namespace="(dynamic)"}',
        'tidewire_rooms{namespace="/"}',
        'tidewire_handshakes_total{transport="websocket"}',
        "tidewire_broadcasts_total",
        "tidewire_deliveries_total",
        'tidewire_disconnects_total{reason="client namespace disconnect",code=""}',
        'tidewire_messages_total{direction="in"}',
        'tidewire_traffic_bytes_total{direction="out"}',
        'tidewire_upgrades_total{outcome="failed"}',
      ].map((name) => lines.get(name)),
      [3, 1, 2, 1, 5, 1, 3, 2, traffic!.messagesIn, traffic!.bytesOut, 0],
    );
    assert.ok(lines.has("tidewire_event_loop_delay_max_seconds"));
  });

  it("has the connections of each transport when nobody is there", async () => {
    await using server = await testServer(application);
    const register = new Registry();
    prometheus(server.io, { register });
    const lines = linesOf(await register.metrics());
    const names = ["polling", "websocket", "webtransport"];
    assert.deepEqual(
      names.map((name) => lines.get(`tidewire_connections{transport="${name}"}`)),
      [0, 0, 0],
    );
  });

  it("asks the server once for all metrics", async () => {
    await using server = await busyServer();
    const register = new Registry();
    let calls = 0;
    const stop = prometheus({ stats: () => (calls++, server.io.stats()) }, { register });
    await register.metrics();
    assert.equal(calls, 1);
    await register.getMetricsAsJSON();
    assert.equal(calls, 2);
    stop();
    assert.equal((await register.metrics()).trim(), "");
  });

  it("works with default labels, OpenMetrics, other metrics and the sum of several processes", async () => {
    await using server = await busyServer();
    const register = new Registry();
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    register.setDefaultLabels({ app: "chat" });
    new Gauge({ name: "mine", help: "of the application", registers: [register] }).set(7);
    prometheus(server.io, { register });
    const text = await register.metrics();
    assert.match(text, /^# TYPE tidewire_broadcasts counter$/m);
    assert.equal(linesOf(text).get('tidewire_broadcasts_total{app="chat"}'), 1);
    assert.equal(linesOf(text).get('mine{app="chat"}'), 7);
    const json = await register.getMetricsAsJSON();
    const summed = AggregatorRegistry.aggregate([json, json] as never);
    assert.equal(
      linesOf(await summed.metrics()).get('tidewire_connections{transport="websocket",app="chat"}'),
      6,
    );
  });

  it("takes another prefix for a second server", async () => {
    await using server = await busyServer();
    const register = new Registry();
    prometheus(server.io, { register });
    assert.throws(() => prometheus(server.io, { register }), /already been registered/);
    assert.equal(linesOf(await register.metrics()).get("tidewire_broadcasts_total"), 1);
    prometheus(server.io, { register, prefix: "admin_" });
    assert.equal(linesOf(await register.metrics()).get("admin_broadcasts_total"), 1);
  });

  it("leaves nothing in a registry that has one of the names", async () => {
    await using server = await testServer(application);
    const register = new Registry();
    new Gauge({ name: "tidewire_rooms", help: "of the application", registers: [register] }).set(7);
    assert.throws(() => prometheus(server.io, { register }), /tidewire_rooms/);
    assert.deepEqual([...linesOf(await register.metrics())], [["tidewire_rooms", 7]]);
  });

  it("leaves a registry that has written OpenMetrics", async () => {
    await using server = await testServer(application);
    const register = new Registry();
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const stop = prometheus(server.io, { register });
    await register.metrics();
    stop();
    assert.deepEqual(register.getMetricsAsArray(), []);
  });

  it("leaves out what the server does not count", async () => {
    await using server = await testServer(application);
    const register = new Registry();
    prometheus(server.io, { register });
    const names = [...linesOf(await register.metrics()).keys()];
    assert.deepEqual(
      names.filter((name) => /messages|traffic|event_loop|cluster/.test(name)),
      [],
    );
  });
});

describe("openTelemetry()", () => {
  it("observes what io.stats() says, with a real meter", async () => {
    await using server = await busyServer();
    const reader = new ManualReader();
    const provider = new MeterProvider({ readers: [reader] });
    const stop = openTelemetry(server.io, { meter: provider.getMeter("test") });
    const values = await collected(reader);
    const { traffic } = server.io.stats();
    assert.deepEqual(
      [
        'tidewire.connections {"transport":"websocket"}',
        'tidewire.sockets {"namespace":"(dynamic)"}',
        'tidewire.handshakes {"transport":"websocket"}',
        "tidewire.deliveries {}",
        'tidewire.disconnects {"reason":"client namespace disconnect","code":""}',
        'tidewire.traffic {"direction":"in"}',
      ].map((name) => values.get(name)),
      [3, 2, 5, 3, 2, traffic!.bytesIn],
    );
    server.io.emit("again");
    assert.equal((await collected(reader)).get("tidewire.broadcasts {}"), 2);
    stop();
    await provider.shutdown();
  });

  it("observes that everybody has left", async () => {
    await using server = await testServer(application, { cleanupEmptyChildNamespaces: true });
    const clients = [await server.connect(), await server.connect("/room-1")];
    const reader = new ManualReader();
    const provider = new MeterProvider({ readers: [reader] });
    openTelemetry(server.io, { meter: provider.getMeter("test") });
    const names = [
      'tidewire.connections {"transport":"websocket"}',
      'tidewire.sockets {"namespace":"/"}',
      'tidewire.sockets {"namespace":"(dynamic)"}',
    ];
    const before = await collected(reader);
    for (const client of clients) client.disconnect();
    await server.settled();
    const after = await collected(reader);
    assert.deepEqual(
      names.map((name) => [before.get(name), after.get(name)]),
      [
        [2, 0],
        [1, 0],
        [1, 0],
      ],
    );
    await provider.shutdown();
  });

  it("describes each instrument with its unit", async () => {
    await using server = await busyServer();
    const reader = new ManualReader();
    const provider = new MeterProvider({ readers: [reader] });
    openTelemetry(server.io, { meter: provider.getMeter("test") });
    const { resourceMetrics } = await reader.collect();
    const all = resourceMetrics.scopeMetrics[0]!.metrics;
    assert.ok(all.every(({ descriptor: { unit, description } }) => unit !== "" && description !== ""));
    const traffic = all.find(({ descriptor }) => descriptor.name === "tidewire.traffic")!;
    assert.equal(traffic.descriptor.unit, "By");
    assert.ok(traffic.dataPointType === DataPointType.SUM && traffic.isMonotonic);
    const waiting = all.find(({ descriptor }) => descriptor.name === "tidewire.waiting.size")!;
    assert.ok(waiting.dataPointType === DataPointType.SUM && !waiting.isMonotonic);
    await provider.shutdown();
  });
});

describe("the names", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

  it("are all in the README, which has no others", () => {
    const listed = [...readme.matchAll(/^\| `(tidewire_\w+)` \| `(tidewire[.\w]+)` \|/gm)];
    assert.deepEqual(
      listed.map(([, prom, otel]) => [prom, otel]),
      metrics.map((each) => [`tidewire_${each.prometheus}`, each.openTelemetry]),
    );
  });

  it("follow the conventions of Prometheus", () => {
    for (const { prometheus: name, kind } of metrics) {
      assert.equal(name.endsWith("_total"), kind === "counter", name);
      assert.match(name, /^[a-z0-9_]+$/);
    }
  });
});
