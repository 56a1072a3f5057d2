import assert from "node:assert/strict";
import { once } from "node:events";
import { Server } from "@tidewire/engine";
import { Server as SocketIoServer } from "@tidewire/server";
import { Socket as EngineClient } from "engine.io-client";
import type { Socket as OfficialSocket } from "socket.io";
import { io as connect } from "socket.io-client";
import type { Session } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { within } from "../support/waiting/queue.ts";
import { whyNoWebTransport, WebTransportServer } from "../support/webtransport/http3-server.ts";
import type { ClientWebTransport } from "../support/webtransport/http3-server.ts";

const missing = whyNoWebTransport();

function nextSession(engine: NodeJS.EventEmitter): Promise<Session> {
  const opened = once(engine, "connection") as Promise<[Session]>;
  return within(opened, "a session").then(([session]) => session);
}

/** What the official client emits next; its emitter is not one of Node's. */
function next(client: EngineClient, event: "message" | "upgrade" | "close"): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)));
}

function closeOf(session: Session): Promise<string> {
  const closed = once(session, "close") as Promise<[string]>;
  return within(closed, "the session to close").then(([reason]) => reason);
}

/** Official clients look for a global `WebTransport`, which Node has not. */
async function withGlobal(server: WebTransportServer, run: () => Promise<void>): Promise<void> {
  const { WebTransport } = server;
  /** Its port is another than that of the polling: in HTTP/3 they would be the same, one of TCP and one of UDP. */
  class Redirected extends WebTransport {
    constructor(url: string, options?: object) {
      const { pathname, search } = new URL(url);
      super(`https://127.0.0.1:${server.port}${pathname}${search}`, options);
    }
  }
  const globals = globalThis as { WebTransport?: unknown };
  globals.WebTransport = Redirected;
  try {
    await run();
  } finally {
    delete globals.WebTransport;
  }
}

async function openStream(client: ClientWebTransport): Promise<{
  write(bytes: string): Promise<void>;
  next(): Promise<string>;
}> {
  await within(client.ready, "the WebTransport session");
  const { readable, writable } = await client.createBidirectionalStream();
  const [writer, reader] = [writable.getWriter(), readable.getReader()];
  return {
    write: (bytes) => writer.write(Buffer.from(bytes, "latin1")),
    next: async () => Buffer.from((await within(reader.read(), "bytes")).value ?? []).toString("latin1"),
  };
}

describe("WebTransport over a network", () => {
  if (missing !== undefined) {
    it(`waits for a WebTransport server: ${missing}`);
    return;
  }

  it("opens, carries messages, and is closed by the server after the last one", async () => {
    const engine = new Server({ transports: ["webtransport"] });
    await using server = await WebTransportServer.start("/engine.io/", (session) =>
      engine.onWebTransportSession(session),
    );
    const client = new server.WebTransport(`https://127.0.0.1:${server.port}/engine.io/`);
    const stream = await openStream(client);
    const opened = nextSession(engine);
    await stream.write("\x010");
    const session = await opened;
    assert.match(await stream.next(), new RegExp(`0\\{"sid":"${session.id}"`));
    const message = once(session, "message");
    await stream.write("\x034hi");
    assert.deepEqual(await within(message, "a message"), ["hi"]);
    session.send("a");
    session.send(Buffer.from([1, 2]));
    session.close();
    assert.equal(await stream.next(), "\x024a\x82\x01\x02");
    assert.equal((await within(client.closed, "the end of the session")).closeCode, 0);
  });

  it("gives the client the reason of a refusal", async () => {
    const engine = new Server({ transports: ["webtransport"] });
    await using server = await WebTransportServer.start("/engine.io/", (session) =>
      engine.onWebTransportSession(session),
    );
    const client = new server.WebTransport(`https://127.0.0.1:${server.port}/engine.io/`);
    const stream = await openStream(client);
    await stream.write('\x0d0{"sid":"no"}');
    const { closeCode, reason } = await within(client.closed, "the end of the session");
    assert.deepEqual({ closeCode, reason }, { closeCode: 1, reason: "Session ID unknown" });
  });

  it("closes the session of a client that disconnects", async () => {
    const engine = new Server({ transports: ["webtransport"] });
    await using server = await WebTransportServer.start("/engine.io/", (session) =>
      engine.onWebTransportSession(session),
    );
    const client = new server.WebTransport(`https://127.0.0.1:${server.port}/engine.io/`);
    const stream = await openStream(client);
    const opened = nextSession(engine);
    await stream.write("\x010");
    const closed = closeOf(await opened);
    client.close();
    assert.equal(await closed, "transport close");
  });

  it("serves the official engine.io-client", async () => {
    const engine = new Server({ transports: ["webtransport"], pingInterval: 50 });
    await using server = await WebTransportServer.start("/engine.io/", (session) =>
      engine.onWebTransportSession(session),
    );
    await withGlobal(server, async () => {
      const opened = nextSession(engine);
      const client = new EngineClient("https://localhost/", { transports: ["webtransport"] });
      const session = await opened;
      session.on("message", (data: string | Buffer) => session.send(data));
      const heartbeat = once(session, "heartbeat");
      for (const data of ["hello €", Buffer.from([1, 2, 3]), "x".repeat(70_000), Buffer.alloc(200_000, 7)]) {
        const echoed = next(client, "message");
        client.send(data);
        const [echo] = (await within(echoed, "an echo")) as [string | Buffer];
        assert.ok(Buffer.from(echo as string).equals(Buffer.from(data as string)));
      }
      await within(heartbeat, "a heartbeat");
      const closed = closeOf(session);
      client.close();
      assert.equal(await closed, "transport close");
    });
  });

  onEveryHost("beginning with long-polling", engineHosts, (host) => {
    host.it("upgrades the official engine.io-client from polling", { needs: "tcp" }, async () => {
      await using started = await host.start({ transports: ["polling", "webtransport"] });
      const engine = started.engine as unknown as Server;
      await using server = await WebTransportServer.start("/engine.io/", (session) =>
        engine.onWebTransportSession(session),
      );
      await withGlobal(server, async () => {
        const client = new EngineClient(started.url, { transports: ["polling", "webtransport"] });
        const session = await started.nextSession();
        assert.equal(session.transport.name, "polling");
        await within(next(client, "upgrade"), "the upgrade");
        session.on("message", (data: string) => session.send(data));
        const echoed = next(client, "message");
        client.send("hi");
        assert.deepEqual(await within(echoed, "an echo"), ["hi"]);
        assert.equal(session.transport.name, "webtransport");
        assert.equal((client as unknown as { transport: { name: string } }).transport.name, "webtransport");
        const closed = next(client, "close");
        session.close();
        assert.equal((await within(closed, "the end"))[0], "transport close");
      });
    });
  });

  it("serves the official socket.io-client, which has a handshake without a request", async () => {
    const io = new SocketIoServer({ transports: ["webtransport"] });
    const engine = new Server({ transports: ["webtransport"] });
    io.bind(engine);
    await using server = await WebTransportServer.start("/socket.io/", (session) =>
      engine.onWebTransportSession(session),
    );
    await withGlobal(server, async () => {
      const connected = once(io, "connection") as unknown as Promise<[OfficialSocket]>;
      const client = connect("https://localhost/", { transports: ["webtransport"], auth: { token: "t" } });
      const [socket] = await within(connected, "a socket");
      const { headers, address, secure, query, auth } = socket.handshake;
      assert.deepEqual(
        { headers, address, secure, query, auth },
        { headers: {}, address: "", secure: true, query: {}, auth: { token: "t" } },
      );
      socket.on("sum", (numbers: Buffer, done: (sum: Buffer) => void) =>
        done(Buffer.from(numbers).reverse()),
      );
      const answer = (await client.timeout(5000).emitWithAck("sum", Buffer.from([1, 2, 3]))) as Buffer;
      assert.deepEqual(Buffer.from(answer), Buffer.from([3, 2, 1]));
      const gone = once(socket, "disconnect");
      client.disconnect();
      await within(gone, "the disconnect");
    });
    engine.close();
  });
});
