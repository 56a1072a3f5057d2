// Sends messages to a session, up to the frames of a host without sockets.
import { bench, group } from "mitata";
import { MemoryHost, Message, Server as Engine } from "@tidewire/engine";
import { payload } from "../harness/payload.mjs";

const host = new MemoryHost();
const engine = new Engine();
engine.attachHost(host);
/** @type {import("@tidewire/engine").Session[]} */
const sessions = [];
engine.on("connection", (session) => void sessions.push(session));
const client = await host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
client.onmessage = () => {};
const [session] = sessions;
if (session === undefined) throw new Error("no session was opened");
const flushed = () => new Promise((resolve) => setImmediate(resolve));

const texts = Array.from({ length: 10 }, (_, n) => `2${JSON.stringify(["news", payload(n)])}`);
const shared = texts.map((text) => new Message(text));

group("messages of one tick to one session, and the flush", () => {
  bench("an empty tick", flushed);
  bench("one text", async () => {
    session.sendMessage(new Message(texts[0] ?? ""));
    await flushed();
  });
  bench("ten texts", async () => {
    for (const text of texts) session.sendMessage(new Message(text));
    await flushed();
  });
  bench("ten messages that others get too", async () => {
    for (const message of shared) session.sendMessage(message);
    await flushed();
  });
});
