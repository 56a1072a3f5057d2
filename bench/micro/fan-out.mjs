// Broadcasts, from `emit` to the frames of a host without sockets.
import { bench, group } from "mitata";
import { MemoryHost, Server as Engine } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import { payload } from "../harness/payload.mjs";

const RECEIVERS = 1000;

const host = new MemoryHost();
const engine = new Engine();
engine.attachHost(host);
const io = new Server();
io.bind(engine);
io.on("connection", (socket) => void socket.join(["all", `room ${io.sockets.sockets.size % 20}`]));

for (let i = 0; i < RECEIVERS; i++) {
  const socket = await host.connect({ url: "/socket.io/?EIO=4&transport=websocket" });
  socket.onmessage = () => {};
  socket.send("40");
}
const flushed = () => new Promise((resolve) => setImmediate(resolve));
while (io.sockets.sockets.size < RECEIVERS) await flushed();
const [first] = io.sockets.sockets.keys();

/** @type {[string, () => { emit(event: string, value: unknown): unknown }][]} */
const ways = [
  ["io", () => io],
  ["io.to(room of all)", () => io.to("all")],
  ["io.except(id)", () => io.except(first ?? "")],
  ["io.to(room of 50)", () => io.to("room 1")],
  ["io.to(two rooms of 50)", () => io.to("room 1").to("room 2")],
];

group(`one message to some of ${RECEIVERS} receivers, and its flush`, () => {
  for (const [name, way] of ways) {
    bench(name, async () => {
      way().emit("news", payload(1));
      await flushed();
    });
  }
});

group(`ten messages to ${RECEIVERS} receivers in one tick, and their flush`, () => {
  bench("io", async () => {
    for (let n = 0; n < 10; n++) io.emit("news", payload(n));
    await flushed();
  });
});
