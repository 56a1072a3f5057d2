import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { PATIENCE } from "../support/waiting/queue.ts";
import { runChat, startChat, type ChatHost, type ChatProcess } from "./support/chat-process.ts";

interface Answer {
  ok: boolean;
  error?: string;
}

const NONSENSE: unknown[] = [
  null,
  1,
  "lobby",
  [],
  {},
  { room: {} },
  { room: { toString: 1 } },
  { room: "a b" },
  Buffer.from("x"),
];

for (const host of ["uws", "node"] satisfies ChatHost[]) {
  describe(`the chat as a program, HOST=${host}`, () => {
    it("prints where it listens, and exits with 0 on Ctrl-C", async () => {
      const chat = await startChat(host);
      const { code, stdout, stderr } = await chat.stop("SIGINT");
      const name = host === "uws" ? "uWebSockets.js" : "node:http";
      assert.equal(
        stdout,
        `Chat is at http://localhost:${chat.port} (on ${name}). Ctrl-C ends it.\nChat is closed.\n`,
      );
      assert.equal(stderr, "");
      assert.equal(code, 0);
    });

    for (const taker of ["uws", "node"] satisfies ChatHost[]) {
      it(`reports a port taken by a program on ${taker}, in one line`, async () => {
        const first = await startChat(taker);
        try {
          const { port } = first;
          const { code, stdout, stderr } = await runChat({ HOST: host, PORT: String(port) });
          const advice = `End the program that uses it, or choose another port: PORT=${port + 1} npm start`;
          assert.equal(stderr, `Port ${port} is taken. ${advice}\n`);
          assert.equal(stdout, "");
          assert.equal(code, 1);
        } finally {
          await first.stop();
        }
      });
    }

    it("refuses an invalid PORT", async () => {
      const { code, stderr } = await runChat({ HOST: host, PORT: "http" });
      assert.equal(stderr, "PORT=http is not a port number.\n");
      assert.equal(code, 1);
    });

    it("refuses unknown input, and keeps running", async () => {
      const chat = await startChat(host);
      const client = io(`http://127.0.0.1:${chat.port}`, { forceNew: true, auth: { nick: "Mallory" } });
      const ask = async (event: string, ...payload: unknown[]): Promise<Answer> =>
        (await client.timeout(PATIENCE).emitWithAck(event, ...payload)) as Answer;
      try {
        assert.deepEqual(await ask("join", { room: "lobby" }).then(({ ok }) => ok), true);
        for (const event of ["join", "leave", "message", "typing"]) {
          client.emit(event);
          for (const payload of NONSENSE) assert.equal((await ask(event, payload)).ok, false, event);
        }
        const image = { type: { toString: 1 }, name: {}, data: "x" };
        for (const sent of [
          { image },
          { text: {} },
          { image: 1 },
          { text: " " },
          { text: "x".repeat(2001) },
        ]) {
          assert.equal((await ask("message", { room: "lobby", id: "12345678", ...sent })).ok, false);
        }
        client.emit("pulse", "not a function");
        assert.equal((await ask("message", { room: "lobby", id: "12345678", text: "hello" })).ok, true);
      } finally {
        client.close();
        const { code, stderr } = await chat.stop();
        assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      }
    });

    describe("serves", () => {
      let chat: ChatProcess;
      before(async () => {
        chat = await startChat(host);
      });
      after(async () => {
        await chat?.stop();
      });
      const get = (path: string, init?: RequestInit): Promise<Response> =>
        fetch(`http://127.0.0.1:${chat.port}${path}`, init);

      for (const path of ["/", "/base.css", "/socket.io/socket.io.js"]) {
        it(`${path}, and 304 when the browser has it`, async () => {
          const whole = await get(path);
          assert.equal(whole.status, 200);
          assert.ok((await whole.text()).length > 1000);
          const again = await get(path, { headers: { "if-none-match": whole.headers.get("etag") ?? "" } });
          assert.equal(again.status, 304);
        });
      }

      it("the length of a file to HEAD", async () => {
        const { byteLength } = await (await get("/base.css")).arrayBuffer();
        const head = await get("/base.css", { method: "HEAD" });
        assert.equal(head.headers.get("content-length"), String(byteLength));
      });

      it("404 for unknown paths, 405 for other methods", async () => {
        assert.equal((await get("/none.css")).status, 404);
        assert.equal((await get("/../server.js")).status, 404);
        assert.equal((await get("/", { method: "POST", body: "x" })).status, 405);
      });
    });
  });
}
