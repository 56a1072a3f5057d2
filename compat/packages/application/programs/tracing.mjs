// An application with traced events. The instrumentation must be loaded before socket.io.
import { createRequire } from "node:module";
import { SocketIoInstrumentation } from "@opentelemetry/instrumentation-socket.io";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
new SocketIoInstrumentation({
  onHook: (span, { payload }) => span.setAttribute("payload", JSON.stringify(payload)),
}).setTracerProvider(provider);

createRequire(import.meta.url)("socket.io");
const { given, listen, ready } = await import("./program.mjs");
const io = await listen();
if (given.carries) (await import("@tidewire/metrics/opentelemetry")).carryContext(io);

for (const namespace of [io.of("/"), io.of("/orders")]) {
  namespace.on("connection", (socket) => {
    void socket.join(["red", "blue"]);
    socket.on("hello", (text, reply) => {
      socket.emit("world", text);
      reply();
    });
    socket.on("fail", () => {
      throw new Error("no");
    });
  });
}
process.on("uncaughtException", () => {});

ready(io.httpServer, {
  broadcast: () => io.to("red").to("blue").emit("all", 1),
  orders: () => io.of("/orders").emit("all", 1),
  spans() {
    const spans = exporter.getFinishedSpans();
    exporter.reset();
    return spans.map(({ name, kind, attributes, status }) => ({ name, kind, attributes, status }));
  },
  families() {
    const spans = exporter.getFinishedSpans();
    exporter.reset();
    return spans.map((span) => ({
      name: span.name,
      event: span.attributes["messaging.socket.io.event_name"],
      own: span.spanContext(),
      parent: span.parentSpanContext,
    }));
  },
});
