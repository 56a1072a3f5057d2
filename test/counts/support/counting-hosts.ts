// Hosts that count their writes, each of which is a system call.
import { createServer, type Server as HttpServer } from "node:http";
import type { Socket as NetSocket } from "node:net";
import { MemoryHost, Server as Engine } from "@tidewire/engine";
import * as uWS from "uWebSockets.js";
import type { HostTarget, WebSocketHandlers, WebSocketPort } from "../../../packages/engine/src/host/host.ts";
import { connectInMemory } from "../../support/wire/memory-client.ts";
import { NetworkClient } from "../../support/wire/network-client.ts";

import { listen, listenApp } from "../../support/hosts/listening.ts";
import { socketio } from "../../support/server/socketio.ts";
import type { Server, ServerOptions } from "../../support/server/socketio.ts";
import type { WireClient, WireSocket } from "../../support/wire/client.ts";
import { chosen, defineHost, type Host } from "../../support/hosts/on-every-host.ts";
import { CorkBuffer } from "./cork-buffer.ts";

const PATH = "/socket.io/?EIO=4&transport=";

interface Counter {
  writes: number;
  readonly contents?: Set<unknown>;
}

/** A server on a host that counts. `await using` closes it. */
export class CountedServer implements AsyncDisposable {
  readonly io: Server;
  readonly client: WireClient;
  readonly #counter: Counter;

  constructor(io: Server, client: WireClient, counter: Counter) {
    this.io = io;
    this.client = client;
    this.#counter = counter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.io.close();
  }

  /** Writes so far. */
  get writes(): number {
    return this.#counter.writes;
  }

  /** The distinct strings and Buffers that were sent over WebSocket, where the host can tell. */
  get contents(): Set<unknown> {
    const { contents } = this.#counter;
    if (contents === undefined) throw new Error("this host does not tell what it was handed");
    return contents;
  }

  /** The number of writes while `run` runs. */
  async writesDuring(run: () => Promise<unknown>): Promise<number> {
    const before = this.writes;
    await run();
    return this.writes - before;
  }

  /** A client over WebSocket, in the root namespace. */
  async connect(): Promise<WireSocket> {
    const socket = await this.client.websocket(`${PATH}websocket`);
    await socket.next();
    socket.sendText("40");
    await socket.next();
    return socket;
  }

  connectAll(count: number): Promise<WireSocket[]> {
    return Promise.all(Array.from({ length: count }, () => this.connect()));
  }

  /** The path of a session over long-polling, in the root namespace. */
  async openPolling(): Promise<string> {
    const { body } = await this.client.get(`${PATH}polling`);
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const path = `${PATH}polling&sid=${sid}`;
    await this.client.post(path, "40");
    await this.client.get(path);
    return path;
  }
}

export interface CountingHost extends Host<CountedServer, Partial<ServerOptions>> {
  readonly name: "uws" | "node" | "memory";
}

/** Counts the writes of a TCP socket: Node makes one system call for each. */
function countSocket(socket: NetSocket, counter: { writes: number }): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (...args) => {
    counter.writes++;
    write(...args);
  };
  if (writev === undefined) return;
  socket._writev = (...args) => {
    counter.writes++;
    writev(...args);
  };
}

export const nodeHost: CountingHost = defineHost({
  name: "node",
  gaps: { contents: "node:http does not show what it is handed" },
  async start(options: Partial<ServerOptions> = {}): Promise<CountedServer> {
    const counter = { writes: 0 };
    const httpServer: HttpServer = createServer();
    httpServer.on("connection", (socket: NetSocket) => countSocket(socket, counter));
    const { port } = await listen(httpServer);
    return new CountedServer(new socketio.Server(httpServer, options), new NetworkClient(port), counter);
  },
});

/** Members of a response of uWebSockets.js that write. */
const RESPONSE_WRITES = ["writeStatus", "writeHeader", "write", "end", "endWithoutBody", "tryEnd"] as const;

type Methods = Record<string, (...args: unknown[]) => unknown>;

/** Lets `before` see each call of a method. */
function watch(target: object, name: string, before: (first: unknown) => void): void {
  const methods = target as Methods;
  const method = methods[name]!;
  methods[name] = (...args) => {
    before(args[0]);
    return method.apply(target, args);
  };
}

/** Runs a method's callback while the cork buffer is its owner's. */
function watchCork(target: object, buffer: CorkBuffer): void {
  const methods = target as Methods;
  const method = methods["cork"]!;
  methods["cork"] = (run) => buffer.cork(target, () => method.call(target, run));
}

/** Counts what a WebSocket sends, in its own handlers and elsewhere. */
function countBehavior<T>(behavior: uWS.WebSocketBehavior<T>, buffer: CorkBuffer): uWS.WebSocketBehavior<T> {
  const { open, message, drain } = behavior;
  return {
    ...behavior,
    open: (socket) => {
      watch(socket, "send", (data) => {
        buffer.contents.add(data);
        buffer.wrote(socket);
      });
      watchCork(socket, buffer);
      void buffer.cork(socket, () => open?.(socket));
    },
    message: (socket, ...args) => buffer.cork(socket, () => message?.(socket, ...args)),
    drain: (socket) => buffer.cork(socket, () => drain?.(socket)),
  };
}

const uwsHost: CountingHost = defineHost({
  name: "uws",
  gaps: {},
  async start(options: Partial<ServerOptions> = {}): Promise<CountedServer> {
    const buffer = new CorkBuffer();
    const app = uWS.App();
    const ws = app.ws.bind(app);
    const any = app.any.bind(app);
    app.ws = (pattern, behavior) => ws(pattern, countBehavior(behavior, buffer) as never);
    app.any = (pattern, handler) =>
      any(pattern, (response, request) => {
        for (const name of RESPONSE_WRITES) watch(response, name, () => buffer.wrote(response));
        watchCork(response, buffer);
        return buffer.cork(response, () => handler(response, request));
      });
    const io = new socketio.Server(options);
    io.attachApp(app);
    return new CountedServer(io, new NetworkClient(listenApp(app).port), buffer);
  },
});

/** Counts what the engine sends over a WebSocket. */
function countPort(port: WebSocketPort, buffer: CorkBuffer): WebSocketPort {
  const counting = Object.create(port) as WebSocketPort;
  counting.send = (...args) => {
    buffer.contents.add(args[0]);
    buffer.wrote(port);
    return port.send(...args);
  };
  counting.cork = (batch) => buffer.cork(port, () => port.cork(batch));
  return counting;
}

/** Handlers that hold the cork buffer while they run. */
function corked(handlers: WebSocketHandlers, port: WebSocketPort, buffer: CorkBuffer): WebSocketHandlers {
  return {
    onMessage: (data) => buffer.cork(port, () => handlers.onMessage(data)),
    onReadEnd: () => buffer.cork(port, () => handlers.onReadEnd()),
    onAnswered: (bytes) => handlers.onAnswered(bytes),
    onDrain: () => buffer.cork(port, () => handlers.onDrain()),
    onError: (kind, error) => handlers.onError(kind, error),
    onClose: (code, reason) => handlers.onClose(code, reason),
  };
}

class CountingMemoryHost extends MemoryHost {
  readonly buffer: CorkBuffer = new CorkBuffer();

  override bind(target: HostTarget): void {
    const { buffer } = this;
    super.bind({
      maxPayload: target.maxPayload,
      needsWholeHead: (url) => target.needsWholeHead(url),
      onRequest: (exchange) => {
        const respond = exchange.respond.bind(exchange);
        exchange.respond = (...args) => {
          buffer.wrote(exchange);
          respond(...args);
        };
        const answer = exchange.answer.bind(exchange);
        exchange.answer = (...args) => {
          buffer.wrote(exchange);
          answer(...args);
        };
        target.onRequest(exchange);
      },
      onUpgrade: (exchange) => {
        const accept = exchange.accept.bind(exchange);
        exchange.accept = (headers, open) =>
          accept(headers, (port) => corked(open(countPort(port, buffer)), port, buffer));
        target.onUpgrade(exchange);
      },
    });
  }
}

const memoryHost: CountingHost = defineHost({
  name: "memory",
  gaps: {},
  async start(options: Partial<ServerOptions> = {}): Promise<CountedServer> {
    const host = new CountingMemoryHost();
    const engine = new Engine(options);
    engine.attachHost(host);
    const io = new socketio.Server();
    io.bind(engine);
    return new CountedServer(io, connectInMemory(host), host.buffer);
  },
});

/** The counter of writes. */
export const countingHosts: readonly CountingHost[] = chosen([uwsHost, nodeHost, memoryHost]);
