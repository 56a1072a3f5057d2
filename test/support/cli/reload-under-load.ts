// Replaces the workers of a server while clients connect to it without a break, each over a connection of its own. Prints how many
// handshakes there were, and how those failed that did.
import { connect } from "node:net";
import { freePort } from "../../browser/support/chat-process.ts";
import { scriptOf, Tidewire } from "./tidewire.ts";

const HANDSHAKE =
  "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/** As many clients connect at the same time. */
const CLIENTS = 8;

const [host = "uws"] = process.argv.slice(2);
const port = await freePort();
const args = ["start", "--workers", "2", "--drain", "1", scriptOf("echo.ts"), "--", host];
await using tidewire = Tidewire.run(args, { PORT: String(port) });
await tidewire.saysTimes(/worker \d \(pid \d+\) is ready/, 2);

const failures: string[] = [];
let handshakes = 0;
let isOver = false;
const clients = Array.from({ length: CLIENTS }, async () => {
  while (!isOver) {
    const outcome = await handshake();
    handshakes++;
    if (outcome !== "200") failures.push(outcome);
  }
});
tidewire.signal("SIGHUP");
await tidewire.says(/reload: done/);
isOver = true;
await Promise.all(clients);
process.stdout.write(JSON.stringify({ handshakes, failures }));

/** Returns the status, or the error. */
function handshake(): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(HANDSHAKE));
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? "closed without an answer"));
  });
}
