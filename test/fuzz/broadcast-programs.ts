import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { MemoryHost, Server as Engine } from "@tidewire/engine";
import type { MemoryWebSocket, Session } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import type { Namespace, Socket } from "@tidewire/server";
import type { Adapter } from "socket.io-adapter";
import type { Random } from "./random.ts";

const ROOMS = ["a", "b", "c"];
const NAMESPACES = ["/", "/n"];

/** Something that the application or a client does. `client` counts the clients, `namespace` those of {@link NAMESPACES}. */
export type Step =
  | {
      does: "broadcast";
      namespace: number;
      rooms: string[];
      except: string[];
      flags: Flags;
      size: Size;
      from?: number;
    }
  | { does: "emit" | "emit volatile" | "send" | "leave all" | "look"; client: number; namespace: number }
  | { does: "join" | "leave"; client: number; namespace: number; room: string }
  | { does: "disconnect"; client: number; namespace: number; close: boolean }
  | { does: "listen"; client: number; event: SessionEvent; step?: Step }
  | { does: "listen to the engine"; event: "flush" | "drain" }
  | { does: "listen to the transport"; client: number; step?: Step }
  | { does: "listen to outgoing packets"; client: number; namespace: number; step?: Step }
  | { does: "close" | "pause" | "resume" | "poll" | "leave the page"; client: number }
  | { does: "handle"; client: number; steps: Step[] };

type SessionEvent = "packetCreate" | "flush" | "drain";

interface Flags {
  volatile: boolean;
  uncompressed: boolean;
  local: boolean;
}

type Size = "small" | "large" | "binary";

export interface Program {
  clients: ClientKind[];
  /** What happens in one turn of the event loop after the other. */
  turns: Step[][];
}

export type ClientKind = "websocket" | "websocket of protocol 3" | "polling";

export function randomProgram(random: Random): Program {
  const clients = Array.from({ length: random.between(2, 14) }, () =>
    random.weighted<ClientKind>([
      [6, "websocket"],
      [1, "websocket of protocol 3"],
      [1, "polling"],
    ])!,
  );
  // Most programs have no listeners: what they change is looked for in the others.
  const listens = random.chance(0.4);
  const step = (depth: number): Step => randomStep(random, clients.length, listens, depth);
  const turns = Array.from({ length: random.between(1, 6) }, () =>
    Array.from({ length: random.between(1, 8) }, () => step(0)),
  );
  return { clients, turns: [randomJoins(random, clients.length), ...turns] };
}

function randomJoins(random: Random, clients: number): Step[] {
  const most = random.pick([0, 1, 2]);
  return Array.from({ length: clients }, (_, client) =>
    NAMESPACES.flatMap((_name, namespace) =>
      ROOMS.filter(() => random.chance(most / ROOMS.length)).map((room): Step => ({
        does: "join",
        client,
        namespace,
        room,
      })),
    ),
  ).flat();
}

function randomStep(random: Random, clients: number, listens: boolean, depth: number): Step {
  const client = random.below(clients);
  const namespace = random.chance(0.8) ? 0 : 1;
  const rooms = (most: number): string[] => ROOMS.filter(() => random.chance(most / ROOMS.length));
  // While a broadcast or a flush is under way, who has had it already is not specified, except for the socket itself.
  const own = (): { step?: Step } =>
    random.chance(0.3) ? { step: { does: random.pick(["emit", "send", "look"]), client, namespace } } : {};
  return random.weighted<() => Step>([
    [
      24,
      () => ({
        does: "broadcast",
        namespace,
        rooms: random.chance(0.3) ? [] : rooms(1.2),
        except: random.chance(0.8) ? [] : rooms(1),
        flags: { volatile: random.chance(0.1), uncompressed: random.chance(0.1), local: random.chance(0.1) },
        size: random.weighted<Size>([
          [8, "small"],
          [1, "large"],
          [2, "binary"],
        ])!,
        ...(random.chance(0.3) ? { from: client } : {}),
      }),
    ],
    [5, () => ({ does: "emit", client, namespace })],
    [1, () => ({ does: "emit volatile", client, namespace })],
    [2, () => ({ does: "send", client, namespace })],
    [2, () => ({ does: "look", client, namespace })],
    [5, () => ({ does: "join", client, namespace, room: random.pick(ROOMS) })],
    [2, () => ({ does: "leave", client, namespace, room: random.pick(ROOMS) })],
    [0.5, () => ({ does: "leave all", client, namespace })],
    [0.7, () => ({ does: "disconnect", client, namespace, close: random.chance(0.5) })],
    [listens ? 2 : 0, () => ({ does: "listen", client, event: random.pick(["flush", "drain"]), ...own() })],
    [listens ? 1 : 0, () => ({ does: "listen", client, event: "packetCreate", ...own() })],
    [
      listens && depth === 0 ? 0.3 : 0,
      () => ({ does: "listen to the engine", event: random.pick(["flush", "drain"]) }),
    ],
    [listens ? 1 : 0, () => ({ does: "listen to the transport", client, ...own() })],
    [listens ? 1 : 0, () => ({ does: "listen to outgoing packets", client, namespace, ...own() })],
    [0.4, () => ({ does: "close", client })],
    [depth === 0 ? 1.5 : 0, () => ({ does: "pause", client })],
    [depth === 0 ? 1.5 : 0, () => ({ does: "resume", client })],
    [2, () => ({ does: "poll", client })],
    [depth === 0 ? 0.3 : 0, () => ({ does: "leave the page", client })],
    [
      depth === 0 ? 4 : 0,
      () => ({
        does: "handle",
        client,
        steps: Array.from({ length: random.between(1, 4) }, () =>
          randomStep(random, clients, listens, depth + 1),
        ),
      }),
    ],
  ])!();
}

/** What a client gets of these, or does after them, depends on when its session is flushed. */
const ofTime: ReadonlySet<Step["does"]> = new Set([
  "emit volatile",
  "look",
  "listen",
  "listen to the engine",
  "listen to the transport",
  "listen to outgoing packets",
  "pause",
  "resume",
  "poll",
  "leave the page",
]);

/** The program without what depends on the turn in which a session is flushed, with WebSockets alone. */
export function withoutTime({ clients, turns }: Program): Program {
  const timeless = (steps: Step[]): Step[] =>
    steps.flatMap((step): Step[] => {
      if (ofTime.has(step.does)) return [];
      if (step.does === "handle") return [{ ...step, steps: timeless(step.steps) }];
      if (step.does === "broadcast") return [{ ...step, flags: { ...step.flags, volatile: false } }];
      return [step];
    });
  return {
    clients: clients.map((kind) => (kind === "polling" ? "websocket" : kind)),
    turns: turns.map(timeless),
  };
}

/**
 * Runs a program while a pass writes to a few sessions in a turn, so that the next steps come before its end.
 *
 * @returns what each client got, in order
 */
export async function slicedFramesOf(
  program: Program,
  adapter: typeof Adapter | undefined,
  slice: number,
): Promise<string[][]> {
  await using run = new Run(adapter, 0);
  for (const kind of program.clients) await run.connect(kind);
  run.slice(slice);
  for (const steps of program.turns) {
    for (const step of steps) run.do(step);
    await turn();
  }
  while (run.isFlushing) await turn();
  return run.frames;
}

/** Runs a program with an adapter, and returns what each client got and what its session and sockets emitted, in order. */
export async function logsOf(program: Program, adapter: typeof Adapter | undefined): Promise<string[][]> {
  await using run = new Run(adapter, 3000);
  for (const kind of program.clients) await run.connect(kind);
  for (const steps of program.turns) {
    // What the network does comes first: within a turn, when exactly a frame leaves is not specified.
    for (const step of steps) if (ofNetwork.has(step.does)) run.do(step);
    for (const step of steps) if (!ofNetwork.has(step.does)) run.do(step);
    // The pass that flushes, what it leads to, and the promises of both.
    for (let n = 0; n < 4; n++) await turn();
    run.endTurn();
  }
  return run.logs;
}

const ofNetwork: ReadonlySet<Step["does"]> = new Set(["pause", "resume", "leave the page"]);

interface Client {
  /** What the client got. */
  readonly received: string[];
  /** What its session and its sockets emitted, and what the application saw of them. */
  readonly log: string[];
  readonly session: Session;
  /** By namespace. */
  readonly sockets: Socket[];
  readonly webSocket: MemoryWebSocket | undefined;
  readonly url: string;
  /** How many messages were sent to it alone. */
  sent: number;
}

class Run implements AsyncDisposable {
  readonly #host: MemoryHost = new MemoryHost();
  readonly #engine: Engine;
  readonly #io: Server;
  readonly #clients: Client[] = [];
  readonly #listened: Set<string> = new Set();
  /** Steps of the message under way, by the number that the message carries. */
  readonly #handled: Step[][] = [];
  #count = 0;
  #isHandling = false;

  constructor(adapter: typeof Adapter | undefined, maxBackpressure: number) {
    this.#engine = new Engine({ allowEIO3: true, maxBackpressure, pingInterval: 1e8 });
    this.#engine.attachHost(this.#host);
    this.#io = new Server(adapter === undefined ? {} : { adapter }).bind(this.#engine);
    for (const name of NAMESPACES) {
      this.#io.of(name).on("connection", (socket) => {
        socket.on("handle", (number: number) => {
          this.#isHandling = true;
          for (const step of this.#handled[number]!) this.do(step);
          this.#isHandling = false;
        });
      });
    }
  }

  /** Sets how many sessions are flushed in a turn. */
  slice(sessions: number): void {
    this.#engine.flushQueue.slice = sessions;
  }

  /** Whether anything waits for a session, or in it. */
  get isFlushing(): boolean {
    const { broadcasts } = this.#engine.flushQueue;
    return broadcasts.isWaiting || this.#clients.some(({ session }) => session.writeBuffer.length > 0);
  }

  get frames(): string[][] {
    return this.#clients.map(({ received }) => received);
  }

  get logs(): string[][] {
    return this.#clients.flatMap(({ received, log }) => [received, log]);
  }

  async connect(kind: ClientKind): Promise<void> {
    const received: string[] = [];
    const log: string[] = [];
    const version = kind === "websocket of protocol 3" ? 3 : 4;
    const connection = once(this.#engine, "connection") as Promise<[Session]>;
    const sockets = NAMESPACES.map(
      async (name) => ((await once(this.#io.of(name), "connection")) as [Socket])[0],
    );
    const transport = kind === "polling" ? "polling" : "websocket";
    let url = `/engine.io/?EIO=${version}&transport=${transport}`;
    let webSocket: MemoryWebSocket | undefined;
    const join = version === 3 ? ["40/n,"] : ["40", "40/n,"];
    if (kind === "polling") {
      url += `&sid=${/"sid":"([^"]+)"/.exec(await this.#get(url))?.[1]}`;
      for (const packet of join) await this.#host.request({ method: "POST", url, body: packet }).response;
    } else {
      webSocket = await this.#host.connect({ url });
      for (const packet of join) webSocket.send(packet);
    }
    const client = {
      received,
      log,
      session: (await connection)[0],
      sockets: await Promise.all(sockets),
      webSocket,
      url,
      sent: 0,
    };
    for (const [n, socket] of client.sockets.entries()) {
      socket.on("disconnect", (reason, description) => {
        const code = (description as { code?: unknown } | undefined)?.code;
        log.push(`${NAMESPACES[n]} disconnect ${reason} ${String(code)}`);
      });
    }
    await turn();
    await turn();
    if (webSocket === undefined) {
      await this.#get(url);
    } else {
      // What came of the handshake has ids that differ.
      webSocket.onmessage = () => {};
      webSocket.onmessage = (data) => received.push(describe(data));
      webSocket.onclose = (code) => received.push(`closed ${code}`);
    }
    this.#clients.push(client);
  }

  async #get(url: string): Promise<string> {
    return (await this.#host.request({ url }).response).body.toString();
  }

  endTurn(): void {
    for (const { received, log, session } of this.#clients) {
      received.push("end of turn");
      log.push(
        `end of turn: ${session.readyState}, ${session.bufferedAmount > 0 ? "something" : "nothing"} waits`,
      );
    }
  }

  do(step: Step): void {
    if (step.does === "broadcast") {
      this.#broadcast(step);
      return;
    }
    if (step.does === "listen to the engine") {
      this.#listenToEngine(step.event);
      return;
    }
    const client = this.#clients[step.client]!;
    const { log, session, webSocket } = client;
    const socket = "namespace" in step ? client.sockets[step.namespace]! : client.sockets[0]!;
    switch (step.does) {
      case "emit":
        socket.emit("direct", client.sent++);
        break;
      case "emit volatile":
        socket.volatile.emit("volatile", client.sent++);
        break;
      case "send":
        session.send(`raw ${client.sent++}`, () => log.push("sent"));
        break;
      case "look":
        // While packets are handled, or nothing is read, it depends on how much the host was given at once.
        if (this.#isHandling) break;
        log.push(session.bufferedAmount > 0 ? "something waits" : "nothing waits");
        if (session.writable) log.push(`${session.writeBuffer.length} packets wait`);
        break;
      case "join":
        void socket.join(step.room);
        break;
      case "leave":
        void socket.leave(step.room);
        break;
      case "leave all":
        socket.leaveAll();
        break;
      case "disconnect":
        socket.disconnect(step.close);
        break;
      case "listen":
        this.#listen(client, step.event, step.step);
        break;
      case "listen to the transport":
        this.#listenToTransport(client, step.step);
        break;
      case "listen to outgoing packets":
        this.#listenToOutgoing(socket, log, step.step);
        break;
      case "close":
        session.close();
        break;
      case "pause":
        webSocket?.pause();
        break;
      case "resume":
        webSocket?.resume();
        break;
      case "poll":
        if (webSocket === undefined) this.#poll(client);
        break;
      case "leave the page":
        webSocket?.close();
        break;
      case "handle":
        this.#handle(client, step.steps);
    }
  }

  #broadcast({ namespace, rooms, except, flags, size, from }: Step & { does: "broadcast" }): void {
    const nsp: Namespace = this.#io.of(NAMESPACES[namespace]!);
    const socket = from === undefined ? undefined : this.#clients[from]!.sockets[namespace]!;
    let target = socket === undefined ? nsp.to(rooms) : socket.to(rooms);
    if (except.length > 0) target = target.except(except);
    if (flags.volatile) target = target.volatile;
    if (flags.uncompressed) target = target.compress(false);
    if (flags.local) target = target.local;
    const number = this.#count++;
    if (size === "small") target.emit("all", number);
    else if (size === "large") target.emit("all", number, "x".repeat(2000));
    else target.emit("all", Buffer.from([number]), Buffer.from("bytes"));
  }

  #listen({ log, session }: Client, event: SessionEvent, step: Step | undefined): void {
    let isFirst = true;
    session.on(event, (argument?: unknown) => {
      log.push(`${event} ${event === "flush" ? (argument as unknown[]).length : ""}`);
      if (isFirst && step !== undefined) {
        isFirst = false;
        this.do(step);
      }
    });
  }

  #listenToTransport({ log, session }: Client, step: Step | undefined): void {
    let isFirst = true;
    session.transport.on("drain", () => {
      log.push("transport: drain");
      if (isFirst && step !== undefined) {
        isFirst = false;
        this.do(step);
      }
    });
  }

  #listenToEngine(event: "flush" | "drain"): void {
    if (this.#listened.has(event)) return;
    this.#listened.add(event);
    this.#engine.on(event, (session: Session) => {
      this.#clients.find((client) => client.session === session)?.log.push(`engine: ${event}`);
    });
  }

  #listenToOutgoing(socket: Socket, log: string[], step: Step | undefined): void {
    let isFirst = true;
    socket.onAnyOutgoing((event) => {
      log.push(`outgoing ${event}`);
      if (isFirst && step !== undefined) {
        isFirst = false;
        this.do(step);
      }
    });
  }

  #poll({ received, url }: Client): void {
    this.#host.request({ url }).response.then(
      ({ status, body }) => received.push(`${status} ${body.toString()}`),
      () => received.push("no response"),
    );
  }

  #handle({ webSocket, url, sockets }: Client, steps: Step[]): void {
    const number = this.#handled.push(steps) - 1;
    const body = `42["handle",${number}]`;
    if (!sockets[0]!.connected) return;
    if (webSocket === undefined)
      void this.#host.request({ method: "POST", url, body }).response.catch(() => {});
    else webSocket.send(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#io.close();
    this.#engine.close();
  }
}

function describe(data: string | Buffer): string {
  return typeof data === "string" ? data.slice(0, 60) : `bytes ${data.toString("hex")}`;
}
