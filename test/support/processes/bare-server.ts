// A server whose globals are those of a browser, as under jsdom. Sends the port to its parent.
import type { AddressInfo } from "node:net";

// Node makes its own fetch of the globals when it is first needed, by node:http since Node 24; jsdom leaves it those of Node.
void globalThis.Headers;

for (const name of [
  "setImmediate",
  "clearImmediate",
  "TextDecoder",
  "TextEncoder",
  "structuredClone",
  "Blob",
]) {
  Reflect.deleteProperty(globalThis, name);
}
const { setTimeout: nodeTimeout, setInterval: nodeInterval } = globalThis;
// In a browser a timer is a number, without unref().
Object.assign(globalThis, {
  setTimeout: (run: () => void, ms?: number) => Number(nodeTimeout(run, ms)),
  setInterval: (run: () => void, ms?: number) => Number(nodeInterval(run, ms)),
});

const { Server } = await import("@tidewire/server");
const host = process.argv[2] as "uws" | "node";
const io = new Server(0, { host, pingInterval: 50, connectionStateRecovery: {} });
io.on("connection", (socket) => {
  socket.on("echo", (value: unknown, ack: (value: unknown) => void) => ack(value));
  socket.timeout(20).emit("unheard", (error: Error | null) => socket.emit("outcome", error?.message));
  socket.conn.once("heartbeat", () => socket.emit("alive"));
});
process.send?.((io.httpServer.address() as AddressInfo).port);
