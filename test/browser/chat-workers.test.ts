import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { io, type Socket } from "socket.io-client";
import { describeWithChromium } from "../support/browser/chromium.ts";
import { CHAT, Tidewire } from "../support/cli/tidewire.ts";
import { connected } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { ChatPage } from "./support/chat-page.ts";
import { freePort } from "../support/hosts/free-port.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts", import.meta.url));

interface Welcome {
  worker: { number: number; of: number };
}

describeWithChromium("the chat in two workers", (browser) => {
  let workers: Tidewire;
  let ann: ChatPage;
  let port: number;
  const clients: Socket[] = [];

  before(async function () {
    this.timeout(60_000);
    port = await freePort();
    workers = Tidewire.run(["start", "--workers", "2", "--drain", "0", CHAT], { PORT: String(port) });
    await workers.saysTimes(/worker \d \(pid \d+\) is ready/, 2);
    ann = await ChatPage.enter(browser(), `http://127.0.0.1:${port}/#deck`, "Ann");
  });
  after(async () => {
    for (const client of clients) client.close();
    await ann?.close();
    workers?.signal("SIGTERM");
    assert.equal(await workers?.ended, 0);
  });

  /** Connects clients until the other worker has one. */
  async function inTheOtherWorker(worker: number): Promise<Socket> {
    for (;;) {
      const client = io(`http://127.0.0.1:${port}`, {
        forceNew: true,
        transports: ["websocket"],
        auth: { nick: "Bo" },
      });
      clients.push(client);
      const welcome = next<[Welcome]>(client, "welcome");
      await connected(client);
      if ((await welcome)[0].worker.number !== worker) return client;
      client.close();
    }
  }

  it("shows the worker that owns the session", async () => {
    assert.match(await ann.text("worker"), /^[12] of 2$/);
    await ann.page.screenshot({ path: join(ARTIFACTS, "chat-workers.png") });
  });

  it("carries people, messages and receipts between workers", async () => {
    const bo = await inTheOtherWorker(Number((await ann.text("worker"))[0]));
    const message = next<[{ id: string; text: string }]>(bo, "message");
    await bo.emitWithAck("join", { room: "deck" });
    await ann.people("Bo").waitFor();
    await ann.say("which worker are you in?");
    const [{ id, text }] = await message;
    assert.equal(text, "which worker are you in?");
    bo.emit("received", { room: "deck", id });
    await ann.marked("which worker", "delivered");
    await bo.emitWithAck("message", { room: "deck", id: "answer-of-bo", text: "in the other one" });
    await ann.message("in the other one").waitFor();
    const { history } = (await bo.emitWithAck("join", { room: "deck" })) as { history: { text: string }[] };
    assert.deepEqual(
      history.map((each) => each.text),
      ["which worker are you in?", "in the other one"],
    );
    bo.close();
    await ann.people("Bo").waitFor({ state: "detached" });
  });
});
