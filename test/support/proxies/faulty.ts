// A proxy on the level of TCP, with the faults of real ones.
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface Faults {
  /** Removes the headers of an upgrade, so that the server sees an ordinary request. */
  readonly removesUpgrade?: boolean;
  /** Answers upgrades itself, with 403. */
  readonly refusesUpgrade?: boolean;
  /** Passes upgrades to another server. */
  readonly upgradesAt?: number;
  /** Passes the handshake of a WebSocket, and nothing that the client sends after it. */
  readonly holdsFrames?: boolean;
}

export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** The server that new connections go to. */
  target: number;
  /** Passes nothing on any more, in one direction or in both; connections stay open. */
  hold(direction: "from client" | "from server" | "both"): void;
  /** Closes all connections, as one that takes them for idle does. */
  closeIdle(): void;
  /** Passes on again what the server has sent, and its end. */
  release(): void;
}

export async function faultyProxy(target: number, faults: Faults = {}): Promise<FaultyProxy> {
  const sockets = new Set<Socket>();
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  };

  const server = createServer((client) => {
    track(client);
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      client.off("data", onData);
      client.pause();
      passOn(client, head.subarray(0, end + 2).toString("latin1"), head.subarray(end + 2));
    };
    client.on("data", onData);
  });

  function passOn(client: Socket, head: string, rest: Buffer): void {
    const isUpgrade = /^upgrade:/im.test(head);
    if (isUpgrade && faults.refusesUpgrade) {
      client.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const port = isUpgrade ? (faults.upgradesAt ?? proxy.target) : proxy.target;
    const upstream = connect(port, "127.0.0.1");
    track(upstream);
    const pair = { client, upstream };
    pairs.add(pair);
    const given =
      isUpgrade && faults.removesUpgrade ? head.replaceAll(/^(upgrade|connection):.*\r\n/gim, "") : head;
    upstream.write(Buffer.concat([Buffer.from(given, "latin1"), rest]));
    upstream.pipe(client);
    if (isUpgrade && faults.holdsFrames) client.resume();
    else client.pipe(upstream);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: FaultyProxy = {
    port: (server.address() as AddressInfo).port,
    target,
    hold(direction) {
      for (const { client, upstream } of pairs) {
        if (direction !== "from server") client.unpipe(upstream).resume();
        if (direction !== "from client") upstream.unpipe(client).pause();
      }
    },
    closeIdle() {
      for (const { client } of pairs) client.destroy();
    },
    release() {
      for (const { client, upstream } of pairs) upstream.pipe(client);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
