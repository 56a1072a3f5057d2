// Plays a script on one server.
import type {
  BroadcastOperator,
  DefaultEventsMap,
  Namespace,
  Server,
  ServerOptions,
  Socket,
} from "socket.io";
import type { Socket as ClientSocket } from "socket.io-client";
import * as msgpack from "socket.io-msgpack-parser";
import type { OldClient } from "../../../test/support/server/old-clients.ts";
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import type { Transcript } from "../recorder.ts";
import { ways } from "../scenario.ts";
import { ServerRun } from "../server-run.ts";
import type * as targets from "../targets.ts";
import type { Script, Settings, Side, Step, Target, Value } from "./script.ts";

type Answer = (...answers: unknown[]) => void;
type AnyClient = { lane: string; token: string } & (
  | { kind: "new"; socket: ClientSocket }
  | { kind: "old"; socket: OldClient }
);

/** The catch-all listeners of a socket. */
interface Catchers {
  incoming: (...event: unknown[]) => void;
  outgoing: (...event: unknown[]) => void;
}

export async function play(script: Script, on: targets.Target): Promise<Transcript> {
  const { settings } = script;
  const run = await ServerRun.start(on, optionsOf(settings));
  try {
    const player = new Player(run, settings);
    for (const step of script.steps) await player.step(step);
    return await run.finish();
  } finally {
    await run.close();
  }
}

function optionsOf({ recovery, cleansUp, msgpack: usesMsgpack }: Settings): Partial<ServerOptions> {
  return {
    allowEIO3: true,
    cleanupEmptyChildNamespaces: cleansUp,
    ...(usesMsgpack ? { parser: msgpack } : {}),
    ...(recovery === "none"
      ? {}
      : { connectionStateRecovery: { skipMiddlewares: recovery === "without middlewares" } }),
  };
}

class Player {
  readonly #run: ServerRun;
  readonly #settings: Settings;
  /** The functions that answer the questions of "ask to keep", by client and by the side that keeps them. */
  readonly #kept = new Map<string, Answer[]>();
  readonly #catchers = new WeakMap<Socket, Catchers>();
  readonly #clients: AnyClient[] = [];
  #wild: RawWebSocket | undefined;
  /** Whether the wild client is in the root namespace. */
  #wildHasJoined = false;

  constructor(run: ServerRun, settings: Settings) {
    this.#run = run;
    this.#settings = settings;
    const { io } = run;
    const guarded = io.of("/guarded");
    guarded.use((socket, next) => {
      const { auth, query } = socket.handshake;
      next(
        (auth["token"] ?? query["token"]) === "ok"
          ? undefined
          : Object.assign(new Error("no"), { data: [1] }),
      );
    });
    this.#serve(io.of("/"));
    for (const namespace of [io.of("/a"), guarded, io.of(/^\/dyn-\d$/)]) this.#create(namespace);
    // an event ends with an offset
    if (settings.recovery !== "none")
      run.recorder.mask(/('|\\?")[\w-]{7}(?:\.\w+)?\1( ?)\]/g, "$1<offset>$1$2]");
    // whether an upgrade completes depends on when the client disconnects
    run.recorder.ignore(/UPGRADE_|TRANSPORT_MISMATCH|Session ID unknown|upgrade to/);
  }

  #create(namespace: Namespace): void {
    this.#run.watch(namespace);
    this.#serve(namespace);
  }

  #serve(namespace: Namespace): void {
    namespace.on("connection", (socket: Socket) => {
      serve(socket, this.#run);
      socket.on("keep", (client: number, answer: Answer) => this.#keep(client, "client", answer));
      // a client can only recover if it has an offset: an intended difference with its own scenarios
      if (this.#settings.recovery !== "none") socket.emit("welcome");
    });
  }

  async step(step: Step): Promise<void> {
    await this.#act(step);
    if (unsettling.has(step.do)) await this.#run.quiet();
    await this.#run.settle();
  }

  async #act(step: Step): Promise<void> {
    const run = this.#run;
    switch (step.do) {
      case "together":
        await Promise.all(step.steps.map((each) => this.#act(each)));
        return;
      case "open":
        return this.#open(step);
      case "join":
        return this.#join(step);
      case "emit":
        this.#up(step.client)?.emit("up", ...step.args.map(toValue));
        return;
      case "relay":
        this.#up(step.client)?.emit("relay", "red", ...step.args.map(toValue));
        return;
      case "ask":
        return this.#ask(step.client, step.args);
      case "tell":
        this.#down(step.client)?.emit("down", ...step.args.map(toValue));
        return;
      case "question":
        return this.#question(step.client, step.args);
      case "tell flagged": {
        const socket = this.#down(step.client);
        if (step.flags.compress !== undefined) socket?.compress(step.flags.compress);
        (step.flags.volatile ? socket?.volatile : socket)?.emit("down", ...step.args.map(toValue));
        return;
      }
      case "ask in vain":
        return this.#askInVain(step.client, step.from, step.waits);
      case "ask to keep":
        return this.#askToKeep(step.client, step.from);
      case "answer kept":
        return this.#answerKept(step.client, step.from, step.args);
      case "guard":
        this.#down(step.client)?.use(guard);
        return;
      case "tempt":
        this.#up(step.client)?.emit(step.event, ...step.args.map(toValue));
        return;
      case "catch all":
        return this.#catchAll(step.client, step.how);
      case "remember": {
        const socket = this.#down(step.client);
        if (socket) socket.data[step.name] = toValue(step.value);
        return;
      }
      case "broadcast": {
        const operator = aimed(run.io.of(step.namespace), step.target);
        (step.volatile ? operator.volatile : operator).emit("all", ...step.args.map(toValue));
        return;
      }
      case "broadcast of": {
        const socket = this.#down(step.client);
        if (socket) aimed(socket.broadcast, step.target).emit("others", ...step.args.map(toValue));
        return;
      }
      case "enter":
        await this.#down(step.client)?.join(step.room);
        return;
      case "leave":
        await this.#down(step.client)?.leave(step.room);
        return;
      case "leave all":
        this.#down(step.client)?.["leaveAll"]();
        return;
      case "move": {
        const operator = aimed(run.io.of(step.namespace), step.target);
        if (step.into) operator.socketsJoin(step.rooms);
        else operator.socketsLeave(step.rooms);
        return;
      }
      case "poll all": {
        const answers: unknown = await aimed(run.io.of(step.namespace), step.target)
          .timeout(step.isHeard ? 1000 : 25)
          .emitWithAck(step.isHeard ? "ask" : "silence", 1)
          .catch((error: Error & { responses?: unknown }) => [error.message, error.responses]);
        run.note("answers", answers);
        return;
      }
      case "look":
        return this.#look(step.namespace);
      case "create": {
        const isNew = !run.io._nsps.has(step.namespace);
        const namespace = run.io.of(step.namespace);
        // the others have a parent, whose listeners they get
        if (isNew && !step.namespace.startsWith("/dyn-")) this.#create(namespace);
        return;
      }
      case "disconnect":
        if (!this.#hasRecovered) this.#clients[step.client]?.socket.close();
        return;
      case "reconnect": {
        const client = this.#clients[step.client];
        if (client && !client.socket.connected) client.socket.open();
        return;
      }
      case "cut": {
        const client = this.#clients[step.client];
        if (client?.socket.connected) client.socket.io.engine.close();
        return;
      }
      case "reset": {
        const { socket } = this.#clients[step.client] ?? {};
        if (!socket?.connected) return;
        const transport: { name: string; ws?: { terminate(): void } } = socket.io.engine.transport;
        if (transport.name === "websocket") transport.ws?.terminate();
        return;
      }
      case "hang up":
        this.#down(step.client)?.conn.close(step.discards);
        return;
      case "kick":
        if (!this.#hasRecovered) this.#down(step.client)?.disconnect(step.close);
        return;
      case "kick all":
        if (this.#hasRecovered) return;
        aimed(run.io.of(step.namespace), step.target).disconnectSockets(step.close);
        return;
      case "packet":
        return this.#packet(step.text);
    }
  }

  /** What a recovered socket may not do, leaving on purpose, is an intended difference with its own scenarios. */
  get #hasRecovered(): boolean {
    return this.#run.sockets.some(({ recovered }) => recovered);
  }

  async #open({ way, namespace, token, old }: Step & { do: "open" }): Promise<void> {
    const lane = `client ${this.#clients.length}`;
    const transports = [...ways[way].transports];
    if (old) {
      const socket = this.#run.oldClient(
        lane,
        { transports, query: { token } },
        namespace === "/" ? "" : namespace,
      );
      this.#listen(this.#clients.push({ kind: "old", lane, token, socket }) - 1);
      await this.#run.saw(lane, /^(connect|error)\b/);
    } else {
      const parser = this.#settings.msgpack ? { parser: msgpack } : {};
      const socket = this.#run.client(lane, { transports, auth: { token }, ...parser }, namespace);
      this.#listen(this.#clients.push({ kind: "new", lane, token, socket }) - 1);
      await this.#run.saw(lane, /^connect/);
    }
    await this.#upgraded(way);
  }

  /** Waits for an upgrade: steps during an upgrade would have a random order. */
  async #upgraded(way: keyof typeof ways): Promise<void> {
    await this.#run.quiet();
    if (way !== "upgrade") return;
    const isChanging = (): boolean =>
      Object.values(
        (this.#run.io.engine as unknown as { clients: Record<string, { upgrading: boolean }> }).clients,
      ).some(({ upgrading }) => upgrading);
    const deadline = Date.now() + 2000;
    while (isChanging() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    await this.#run.quiet();
  }

  async #join({ client, namespace, token }: Step & { do: "join" }): Promise<void> {
    const first = this.#clients[client];
    const lane = `client ${this.#clients.length}`;
    const isThere = this.#clients.some(
      ({ socket }) => socket.io === first?.socket.io && (socket as { nsp?: string }).nsp === namespace,
    );
    if (first?.kind !== "new" || !first.socket.connected || isThere) {
      // opens a client in any case, so that the numbers in later steps stay valid
      return this.#open({ do: "open", way: "websocket", namespace, token, old: false });
    }
    const socket = this.#run.join(lane, first.socket.io, namespace, { auth: { token } });
    this.#listen(this.#clients.push({ kind: "new", lane, token, socket }) - 1);
    await this.#run.quiet();
  }

  #listen(client: number): void {
    const socket = this.#clients[client]!.socket as OldClient;
    socket.on("ask", reply);
    socket.on("keep", (_: number, answer: Answer) => this.#keep(client, "server", answer));
  }

  #keep(client: number, from: Side, answer: Answer): void {
    const key = `${client} ${from}`;
    this.#kept.set(key, [...(this.#kept.get(key) ?? []), answer]);
  }

  #up(client: number): { emit(event: string, ...args: unknown[]): unknown } | undefined {
    const found = this.#clients[client];
    return found?.socket.connected ? found.socket : undefined;
  }

  #down(client: number): Socket | undefined {
    const found = this.#clients[client];
    // a recovered socket has the id of the one before
    return this.#run.sockets.findLast((socket) => found?.socket.connected && socket.id === found.socket.id);
  }

  async #ask(client: number, args: Value[]): Promise<void> {
    const found = this.#clients[client];
    if (!found?.socket.connected) return;
    const before = `answer ${args.length}`;
    found.socket.emit("ask", ...args.map(toValue), (...answers: unknown[]) => {
      this.#run.note(found.lane, before, answers);
    });
    await this.#run.settle();
  }

  async #question(client: number, args: Value[]): Promise<void> {
    const socket = this.#down(client);
    if (!socket || this.#clients[client]?.kind !== "new") return;
    const answers: unknown = await socket
      .timeout(5000)
      .emitWithAck("ask", ...args.map(toValue))
      .catch((error: Error) => error.message);
    this.#run.note("answers", socket.id, answers);
  }

  async #askInVain(client: number, from: Side, waits: boolean): Promise<void> {
    const found = this.#clients[client];
    const asks = from === "server" ? this.#down(client) : found?.socket.connected && found.socket;
    if (!asks || found?.kind !== "new") return;
    const asking = (asks as Socket).timeout(25);
    const outcome = waits
      ? asking.emitWithAck("silence", 1)
      : new Promise((resolve, reject) => {
          asking.emit("silence", (error: Error | null, answer: unknown) =>
            error ? reject(error) : resolve(answer),
          );
        });
    await outcome.catch((error: Error) => this.#run.note("answers", from, error.message));
  }

  #askToKeep(client: number, from: Side): void {
    const asks = from === "server" ? this.#down(client) : this.#up(client);
    asks?.emit("keep", client, (...answers: unknown[]) => {
      this.#run.note("answers", `to ${from} of ${client}`, answers);
    });
  }

  /** The second answer to the same question is ignored. */
  #answerKept(client: number, from: Side, args: Value[]): void {
    const key = `${client} ${from}`;
    for (const answer of this.#kept.get(key) ?? []) {
      answer(...args.map(toValue));
      answer("again");
    }
    this.#kept.delete(key);
  }

  #catchAll(client: number, how: (Step & { do: "catch all" })["how"]): void {
    const socket = this.#down(client);
    if (!socket) return;
    const { incoming, outgoing } = this.#catchersOf(socket);
    if (how === "add") socket.onAny(incoming).onAnyOutgoing(outgoing);
    else if (how === "prepend") socket.prependAny(incoming).prependAnyOutgoing(outgoing);
    else if (how === "remove") socket.offAny(incoming).offAnyOutgoing(outgoing);
    else socket.offAnyOutgoing();
    this.#run.note("look", socket.id, socket.listenersAny().length, socket.listenersAnyOutgoing().length);
  }

  #catchersOf(socket: Socket): Catchers {
    const note =
      (what: string) =>
      (...event: unknown[]): void => {
        if (String(event[0]).startsWith("~")) return;
        this.#run.note("server", socket.id, what, event.filter(isNoFunction));
      };
    const catchers = this.#catchers.get(socket) ?? { incoming: note("catches"), outgoing: note("sends") };
    this.#catchers.set(socket, catchers);
    return catchers;
  }

  async #look(name: string): Promise<void> {
    const namespace = this.#run.io.of(name);
    const { rooms } = namespace.adapter;
    const shared = [...rooms].filter(([room]) => !namespace.sockets.has(room));
    const sizes = shared.map(([room, ids]) => `${room} ${ids.size}`).toSorted();
    this.#run.note("look", name, namespace.sockets.size, rooms.size, sizes);
    for (const { id, rooms: own, data } of await namespace.fetchSockets()) {
      this.#run.note("look", id, [...own], data);
    }
    this.#run.note("look", [...this.#run.io._nsps.keys()]);
  }

  async #packet(text: string): Promise<void> {
    // attachments for a namespace that is not joined: an intended difference with its own scenarios
    if (text.startsWith("45") && !this.#wildHasJoined) return;
    if (/^40(?!\/)/.test(text)) this.#wildHasJoined = true;
    else if (text === "41") this.#wildHasJoined = false;
    this.#wild ??= await this.#run.open("wild", "transport=websocket");
    this.#run.note("wild", "sends", text);
    this.#wild.sendText(text);
    await this.#run.quiet();
  }
}

/** After these steps, `settle()` is not enough: wait until nothing happens. */
const unsettling: ReadonlySet<Step["do"]> = new Set<Step["do"]>([
  "disconnect",
  "reconnect",
  "cut",
  "reset",
  "hang up",
  "kick",
  "kick all",
  "relay",
  "tempt",
  "answer kept",
]);

/** A middleware of a socket. */
function guard(event: unknown[], next: (error?: Error) => void): void {
  if (event[0] === "refused") return next(Object.assign(new Error("refused"), { data: [1] }));
  if (event[0] === "late") return void setImmediate(next);
  if (event[0] === "changed") event.splice(0, 2, "other", "changed");
  if (event[0] === "twice") next();
  next();
}

function serve(socket: Socket, run: ServerRun): void {
  socket.on("ask", reply);
  for (const event of ["refused", "late", "changed", "other", "twice"]) {
    socket.on(event, (...args: unknown[]) => run.note("server", socket.id, "hears", event, args));
  }
  socket.on("relay", (room: string, ...args: unknown[]) => socket.to(room).emit("relayed", ...args));
}

function reply(...args: unknown[]): void {
  const answer = args.pop();
  if (typeof answer === "function") (answer as Answer)("answer", ...args);
}

function isNoFunction(value: unknown): boolean {
  return typeof value !== "function";
}

type Operator = BroadcastOperator<DefaultEventsMap, unknown>;

function aimed(origin: ReturnType<Server["of"]> | Operator, { rooms, except }: Target): Operator {
  return origin.to(rooms).except(except);
}

function toValue(value: Value): unknown {
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value["bytes"])) return Buffer.from(value["bytes"] as number[]);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toValue(inner)]));
}
