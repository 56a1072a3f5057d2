import { connect } from "node:net";
import { HalfPost } from "../support/wire/network-client.ts";
import { nextMessage, answered, scenariosOf } from "./scenario.ts";
import type { Run } from "./scenario.ts";
import { within } from "../support/waiting/queue.ts";
import { until } from "../support/engine/peers.ts";

const scenario = scenariosOf(import.meta.url);

const LIMIT = 1000;
const options = { maxHttpBufferSize: LIMIT };

scenario("polls twice at once", async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  const second = await peer.get();
  return `${answered(second)}, the first ${answered(await answer)}`;
});

scenario(
  "posts twice at once",
  async (run) => {
    const { path } = await run.polling();
    const { port } = run.server;
    const halves = [new HalfPost(port, path), new HalfPost(port, path)];
    const answer = await within(Promise.race(halves.map((half) => half.answer)), "one POST to be refused");
    halves.forEach((half) => half.abort());
    return answer.slice(9, 12);
  },
  { needs: "tcp" },
);

const tooLarge = `4${"x".repeat(LIMIT)}`;

scenario(
  "posts more than maxHttpBufferSize",
  {
    "in one packet": async (run) => answered(await (await run.polling()).post(tooLarge)),
    "in many packets": async (run) =>
      answered(await (await run.polling()).post(`${"4x\x1e".repeat(LIMIT / 3)}4x`)),
    "in fewer characters": async (run) =>
      answered(await (await run.polling()).post(`4${"€".repeat(LIMIT / 2)}`)),
  },
  { options },
);

/** A raw POST whose body is written in pieces. Returns the status. */
async function postInPieces(run: Run, head: string, pieces: string[]): Promise<string> {
  const { path } = await run.polling();
  const socket = connect({ port: run.server.port, host: "127.0.0.1" });
  const answer = new Promise<string>((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString().slice(9, 12)));
    socket.once("close", () => resolve("hung up"));
  });
  socket.on("error", () => {});
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const status = await within(answer, "an answer to the POST");
  socket.destroy();
  return status;
}

scenario(
  "posts more than maxHttpBufferSize in chunks",
  {
    "with Content-Length": (run) =>
      postInPieces(
        run,
        `Content-Length: ${LIMIT + 1}`,
        Array.from({ length: 7 }, () => "4".repeat(143)),
      ),
    chunked: (run) =>
      postInPieces(run, "Transfer-Encoding: chunked", [
        ...Array.from({ length: 4 }, () => `fa\r\n${"4".repeat(250)}\r\n`),
        "1\r\n4\r\n",
        "0\r\n\r\n",
      ]),
    "chunked, without an end": (run) =>
      postInPieces(
        run,
        "Transfer-Encoding: chunked",
        Array.from({ length: 5 }, () => `fa\r\n${"4".repeat(250)}\r\n`),
      ),
  },
  { options, needs: "tcp" },
);

scenario("posts an invalid packet", {
  "of an unknown type": async (run) => answered(await (await run.polling()).post("9")),
  "after a valid one": async (run) => answered(await (await run.polling()).post("4a\x1e9\x1e4b")),
});

scenario("posts an empty packet", {
  "an empty body": async (run) => answered(await (await run.polling()).post("")),
  "after another packet": async (run) => answered(await (await run.polling()).post("4a\x1e")),
});

scenario("posts binary data in protocol 4", async (run) => {
  const peer = await run.polling();
  const headers = { "content-type": "application/octet-stream" };
  return answered(await peer.post(Buffer.from([4, 1]), { headers }));
});

scenario("posts invalid UTF-8", async (run) => {
  const peer = await run.polling();
  const message = nextMessage(peer.session);
  const answer = answered(await peer.post(Buffer.from([0x34, 0x61, 0xff])));
  return `${answer}, read as ${JSON.stringify(await message)}`;
});

scenario("posts hundreds of thousands of tiny packets", async (run) => {
  const peer = await run.polling();
  let messages = 0;
  peer.session.on("message", () => messages++);
  const answer = answered(await peer.post("4\x1e".repeat(499_999) + "4"));
  return `${answer}, ${messages} taken`;
});

for (const [title, packet] of [
  ["posts an open packet", "0{}"],
  ["posts an upgrade packet", "5"],
  ["posts a noop packet", "6"],
  ["posts a pong without a ping", "3"],
] as const) {
  scenario(title, async (run) => answered(await (await run.polling()).post(packet)));
}

scenario("posts a close packet", async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  return `${answered(await peer.post("1"))}, the poll ${answered(await answer)}`;
});

scenario("posts a ping in protocol 4", async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  // the session closes during the POST; whether it still gets a response depends on the host
  await peer.post("2").catch(() => {});
  return `the poll ${answered(await answer)}`;
});

scenario("leaves while its poll is pending", async (run) => {
  const peer = await run.polling();
  const aborter = new AbortController();
  const { answer } = await peer.park({ signal: aborter.signal });
  aborter.abort();
  return answer.then(answered, () => "–");
});

scenario(
  "leaves in the middle of a POST",
  async (run) => {
    const { path, session } = await run.polling();
    const half = new HalfPost(run.server.port, path);
    await run.server.read();
    half.abort();
    await until(() => session.readyState === "closed", "the session to close");
    return "–";
  },
  { needs: "tcp" },
);
