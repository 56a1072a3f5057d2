// The lightest clients there are: sockets that have upgraded, joined the root namespace, and answer pings. Run as a process of its own,
// with a port and a number; it says "ready" once all have joined, and ends with its parent.
import { connect } from "node:net";

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
/** How many open at the same time. */
const PARALLEL = 100;

const request = [
  "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "\r\n",
].join("\r\n");

/** A masked frame of text, with a key of zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)]);
}

const CONNECT = frame("40");
const PONG = frame("3");
const PING = Buffer.of(0x81, 1, 0x32);

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let isOpen = false;
    socket.on("data", (chunk) => {
      if (!isOpen && chunk.includes("0{")) {
        isOpen = true;
        socket.write(CONNECT);
      }
      if (chunk.includes("40{")) resolve();
      if (chunk.includes(PING)) socket.write(PONG);
    });
    socket.on("error", reject);
  });
}

let opened = 0;
async function openSome(): Promise<void> {
  while (opened < count) {
    opened++;
    await open();
  }
}
await Promise.all(Array.from({ length: PARALLEL }, openSome));
process.send?.("ready");
process.on("disconnect", () => process.exit());
