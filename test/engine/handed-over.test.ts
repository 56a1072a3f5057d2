// WebSockets that something else has accepted, such as a framework with WebSockets of its own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { Server } from "@tidewire/engine";
import type { ServerOptions } from "@tidewire/engine";
import { Socket as EngineClient } from "engine.io-client";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { openWebSocket, PollingPeer, received } from "../support/engine/peers.ts";
import { serve } from "../support/engine/serve.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { next } from "../support/waiting/events.ts";
import { Queue, within } from "../support/waiting/queue.ts";
import { KeptConnection } from "../support/wire/kept-connection.ts";

interface HandingOver extends AsyncDisposable {
  readonly engine: Server;
  readonly server: StartedEngine;
  /** The WebSockets that were handed over. */
  readonly given: Queue<WebSocket>;
}

/** An engine that is attached to nothing: the application accepts each WebSocket, and hands it over. */
async function start(options: ServerOptions = {}): Promise<HandingOver> {
  const engine = new Server(options);
  const given = new Queue<WebSocket>("a WebSocket to be handed over");
  const sockets = new WebSocketServer({ noServer: true });
  const httpServer = createServer((request, response) => engine.handleRequest(request, response));
  httpServer.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      engine.prepare(request);
      engine.onWebSocket(request, socket, websocket);
      given.push(websocket);
    });
  });
  const server = await serve(engine, httpServer);
  return { engine, server, given, [Symbol.asyncDispose]: () => server.close() };
}

/** A decision that is made when the test says so. */
function pendingDecision<T>(): {
  asked: Promise<void>;
  ask: () => Promise<T>;
  decide: (decision: T) => void;
} {
  let asked!: () => void;
  let decide!: (decision: T) => void;
  const decision = new Promise<T>((resolve) => (decide = resolve));
  return {
    asked: new Promise<void>((resolve) => (asked = resolve)),
    ask: () => {
      asked();
      return decision;
    },
    decide,
  };
}

describe("engine on node: WebSockets that were accepted elsewhere", () => {
  it("open sessions, which read and write as all others", async () => {
    await using running = await start();
    const { socket, session } = await openWebSocket(running.server);
    const messages = received(session);
    const last = new Promise((resolve) => session.on("message", (data) => data === "last" && resolve(data)));
    socket.sendText("4text");
    socket.sendBinary(Buffer.from([1, 2]));
    socket.sendText("4last");
    session.send("down");
    session.send(Buffer.from([3]));
    assert.deepEqual(await socket.take(2), ["4down", Buffer.from([3])]);
    await last;
    assert.deepEqual(messages, ["text", Buffer.from([1, 2]), "last"]);
  });

  it("take over sessions that began on long-polling", async () => {
    await using running = await start();
    const client = new EngineClient(running.server.url);
    try {
      await next(client, "upgrade");
      assert.equal(client.transport.name, "websocket");
      const session = await running.server.nextSession();
      session.send("by WebSocket");
      assert.deepEqual(await next(client, "message"), ["by WebSocket"]);
    } finally {
      client.close();
    }
  });

  it("close with the session, and end it when they close", async () => {
    await using running = await start();
    const ours = await openWebSocket(running.server);
    ours.session.close();
    assert.equal((await ours.socket.closed).code, 1005);
    const theirs = await openWebSocket(running.server);
    theirs.socket.close(1000);
    assert.equal((await running.server.closed(theirs.session)).reason, "transport close");
    assert.equal(running.engine.clientsCount, 0);
  });

  it("are refused for the reasons of all others, with 1008 and the reason", async () => {
    await using running = await start({ allowRequest: (_, decide) => decide("not today", false) });
    const { server } = running;
    const unknown = await server.client.websocket(server.path("transport=websocket&sid=unknown"));
    assert.deepEqual(await unknown.closed, { code: 1008, reason: "Session ID unknown" });
    assert.equal((await server.nextError()).code, 1);
    const other = await server.client.websocket(server.path("transport=carrier-pigeon"));
    assert.deepEqual(await other.closed, { code: 1008, reason: "Transport unknown" });
    const forbidden = await server.client.websocket(server.path("transport=websocket"));
    assert.deepEqual(await forbidden.closed, { code: 1008, reason: "not today" });
    assert.deepEqual(running.engine.clientsCount, 0);
  });

  it("are refused by middlewares", async () => {
    await using running = await start();
    running.engine.use((request, response, next) => {
      if (request.headers["x-visitor"] === "known") next();
      else response.writeHead(401).end("Who are you?");
    });
    const { server } = running;
    const stranger = await server.client.websocket(server.path("transport=websocket"));
    assert.deepEqual(await stranger.closed, { code: 1008, reason: "Who are you?" });
    await openWebSocket(server, { headers: { "x-visitor": "known" } });
  });

  it("are closed with 1013 by a server that has shut down", async () => {
    await using running = await start();
    running.engine.shutDown();
    const socket = await running.server.client.websocket(running.server.path("transport=websocket"));
    assert.equal((await socket.closed).code, 1013);
  });

  it("are closed with 1013 over a limit", async () => {
    await using running = await start({ limits: { connectionsPerIp: 1 } });
    await openWebSocket(running.server);
    const socket = await running.server.client.websocket(running.server.path("transport=websocket"));
    assert.equal((await socket.closed).code, 1013);
  });

  it("are closed without a reason that is too long for a close frame", async () => {
    await using running = await start({ allowRequest: (_, decide) => decide("é".repeat(100), false) });
    const socket = await running.server.client.websocket(running.server.path("transport=websocket"));
    assert.deepEqual(await socket.closed, { code: 1008, reason: "" });
  });

  it("keep what the client sends while a middleware decides", async () => {
    await using running = await start();
    const peer = await PollingPeer.open(running.server);
    const decision = pendingDecision<void>();
    running.engine.use(async (_request, _response, next) => {
      await decision.ask();
      next();
    });
    const socket = await running.server.client.websocket(peer.websocketPath);
    const [websocket] = await Promise.all([running.given.next(), decision.asked]);
    const arrived = once(websocket, "message");
    socket.sendText("2probe");
    await arrived;
    decision.decide();
    assert.equal(await socket.next(), "3probe");
  });

  it("are dropped when the client sends much while a middleware decides", async () => {
    await using running = await start();
    const decision = pendingDecision<void>();
    running.engine.use(async () => decision.ask());
    const socket = await running.server.client.websocket(running.server.path("transport=websocket"));
    await decision.asked;
    socket.sendText("4".repeat(70_000));
    assert.equal((await socket.closed).code, 1006);
  });

  it("open no session when the client leaves while a middleware decides", async () => {
    await using running = await start();
    const decision = pendingDecision<void>();
    running.engine.use(async (_request, _response, next) => {
      await decision.ask();
      next();
    });
    const socket = await running.server.client.websocket(running.server.path("transport=websocket"));
    const [websocket] = await Promise.all([running.given.next(), decision.asked]);
    const gone = once(websocket, "close");
    socket.reset();
    await gone;
    decision.decide();
    // Those that come later are decided later.
    await openWebSocket(running.server);
    assert.equal(running.engine.clientsCount, 1);
  });

  it("are ignored once they have closed", async () => {
    const engine = new Server();
    const sockets = new WebSocketServer({ noServer: true });
    const httpServer = createServer();
    const handed = new Promise<void>((resolve) => {
      httpServer.on("upgrade", (request, socket, head) => {
        sockets.handleUpgrade(request, socket, head, (websocket) => {
          websocket.once("close", () => {
            engine.onWebSocket(request, socket, websocket);
            resolve();
          });
          websocket.close();
        });
      });
    });
    await using server = await serve(engine, httpServer);
    const socket = await server.client.websocket(server.path("transport=websocket"));
    assert.equal((await socket.closed).code, 1005);
    await handed;
    assert.equal(engine.clientsCount, 0);
  });

  for (const [kind, send] of [
    ["text", (limit: number) => "é".repeat(limit / 2)],
    ["binary", (limit: number) => Buffer.alloc(limit + 1)],
  ] as const) {
    it(`are closed with 1009 by a ${kind} message larger than maxHttpBufferSize`, async () => {
      const limit = 1000;
      await using running = await start({ maxHttpBufferSize: limit });
      const { socket, session } = await openWebSocket(running.server);
      const messages = received(session);
      socket.sendText(`4${"x".repeat(limit - 1)}`);
      await once(session, "message");
      const data = send(limit);
      if (typeof data === "string") socket.sendText(`4${data}`);
      else socket.sendBinary(data);
      assert.equal((await socket.closed).code, 1009);
      assert.equal((await running.server.closed(session)).reason, "transport error");
      assert.equal(messages.length, 1);
    });
  }

  it("do not delay the end of the server", async () => {
    const { server, engine } = await start();
    engine.use(() => {});
    const socket = await server.client.websocket(server.path("transport=websocket"));
    await new Promise<void>((resolve, reject) => {
      engine.shutDownServer(server.httpServer as never, (error) => (error ? reject(error) : resolve()));
    });
    assert.equal((await socket.closed).code, 1006);
    await server.close();
  });

  it("do not delay the end of the server when they are refused and the client does not answer", async () => {
    const { server, engine } = await start({ allowRequest: (_, decide) => decide("not today", false) });
    using connection = await KeptConnection.open(server.port);
    connection.write(
      `GET ${server.path("transport=websocket")} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n` +
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await connection.saw("not today");
    const httpServer = server.httpServer as HttpServer;
    const closed = once(httpServer, "close");
    engine.shutDownServer(httpServer, () => {});
    await within(closed, "the server to close");
    await server.close();
  });
});
