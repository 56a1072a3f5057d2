import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** The kernel takes none of these for connections, or for servers that listen on any port: those of Linux begin at 32768. */
const FIRST = 11_000;
const LAST = 32_000;
/** Each process begins at ports of its own. */
const SHARE = 200;

/** All of 127.0.0.0/8 is the loopback interface, but on macOS. */
const RESERVING = process.platform === "darwin" ? "127.0.0.1" : "127.77.77.77";

let upcoming = FIRST + (process.pid % ((LAST - FIRST) / SHARE)) * SHARE;

/**
 * A port that nothing uses, neither does the one after it, and that stays free until somebody asks for it by its number: for servers
 * that other processes start, and for those that end and start again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = upcoming;
    upcoming = port + 2 < LAST ? port + 2 : FIRST;
    if ((await isReserved(port)) && (await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

/** Takes the port for this process, by the UDP port of the same number on an address that nothing else uses. Its end gives it back. */
async function isReserved(port: number): Promise<boolean> {
  const socket = createSocket("udp4").unref();
  return new Promise((resolve) => {
    socket.once("error", () => resolve(false));
    socket.bind({ port, address: RESERVING, exclusive: true }, () => resolve(true));
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, () => resolve(true));
  });
  if (listens) await new Promise((resolve) => server.close(resolve));
  return listens;
}
