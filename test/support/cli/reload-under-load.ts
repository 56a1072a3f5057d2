// Replaces the workers of a server while clients connect to it without a break, each over a connection of its own, or over one that it
// keeps, as proxies do. Prints how many handshakes there were, and how those failed that did.
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../hosts/free-port.ts";
import { scriptOf, Tidewire } from "./tidewire.ts";

const PATH = "/socket.io/?EIO=4&transport=polling";
const HANDSHAKE = `GET ${PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n` as const;
/** As many clients of each kind connect at the same time. */
const CLIENTS = 8;
/** How long those that keep their connection wait between two handshakes, in ms. */
const PAUSE = 10;

const [host = "uws"] = process.argv.slice(2);
const port = await freePort();
const args = ["start", "--workers", "2", "--drain", "1", scriptOf("echo.ts"), "--", host];
await using tidewire = Tidewire.run(args, { PORT: String(port) });
await tidewire.saysTimes(/worker \d \(pid \d+\) is ready/, 2);

const failures: string[] = [];
let handshakes = 0;
let isOver = false;

async function shakeHands(handshake: () => Promise<string>, pause: number): Promise<void> {
  while (!isOver) {
    const outcome = await handshake();
    handshakes++;
    if (outcome !== "200") failures.push(outcome);
    if (pause > 0) await delay(pause);
  }
}

const clients = Array.from({ length: CLIENTS }, () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return [shakeHands(once, 0), shakeHands(() => again(agent), PAUSE).finally(() => agent.destroy())];
});
// Each has connected to the first workers.
await delay(10 * PAUSE);
tidewire.signal("SIGHUP");
await tidewire.says(/reload: done/);
isOver = true;
await Promise.all(clients.flat());
process.stdout.write(JSON.stringify({ handshakes, failures }));

/** A handshake over a new connection. Returns the status, or the error. */
function once(): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(HANDSHAKE));
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? "closed without an answer"));
  });
}

/** A handshake over the connection of the agent, if it has one. */
function again(agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ agent, port, host: "127.0.0.1", path: PATH }, (response) => {
      response.resume();
      response.once("end", () => resolve(String(response.statusCode)));
    });
    request.once("error", (error: NodeJS.ErrnoException) => {
      // The server has closed the connection when it was idle: every client tries that again.
      if (request.reusedSocket && error.code === "ECONNRESET") resolve(again(agent));
      else resolve(error.code ?? error.message);
    });
  });
}
