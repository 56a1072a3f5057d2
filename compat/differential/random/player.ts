// Plays a script on one server.
import type { BroadcastOperator, DefaultEventsMap, Server, Socket } from "socket.io";
import type { Socket as ClientSocket } from "socket.io-client";
import type { OldClient } from "../../../test/support/server/old-clients.ts";
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import type { Transcript } from "../recorder.ts";
import { ways } from "../scenario.ts";
import { ServerRun } from "../server-run.ts";
import type * as targets from "../targets.ts";
import type { Script, Step, Target, Value } from "./script.ts";

type Answer = (...answers: unknown[]) => void;
type AnyClient = { lane: string; token: string } & (
  | { kind: "new"; socket: ClientSocket }
  | { kind: "old"; socket: OldClient }
);

export async function play(script: Script, on: targets.Target): Promise<Transcript> {
  const run = await ServerRun.start(on, { allowEIO3: true });
  try {
    const player = new Player(run);
    for (const step of script.steps) await player.step(step);
    return await run.finish();
  } finally {
    await run.close();
  }
}

class Player {
  readonly #run: ServerRun;
  readonly #clients: AnyClient[] = [];
  #wild: RawWebSocket | undefined;
  /** Whether the wild client is in the root namespace. */
  #wildHasJoined = false;

  constructor(run: ServerRun) {
    this.#run = run;
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
    for (const namespace of [io.of("/a"), guarded, io.of(/^\/dyn-\d$/)]) run.watch(namespace);
    for (const namespace of [io.of("/"), io.of("/a"), guarded, io.of(/^\/dyn-\d+$/)]) {
      namespace.on("connection", serve);
    }
    // whether an upgrade completes depends on when the client disconnects
    run.recorder.ignore(/UPGRADE_|TRANSPORT_MISMATCH|Session ID unknown|upgrade to/);
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
      case "move": {
        const operator = aimed(run.io.of(step.namespace), step.target);
        if (step.into) operator.socketsJoin(step.rooms);
        else operator.socketsLeave(step.rooms);
        return;
      }
      case "poll all": {
        const answers: unknown = await aimed(run.io.of(step.namespace), step.target)
          .timeout(300)
          .emitWithAck("ask", 1)
          .catch((error: Error & { responses?: unknown }) => [error.message, error.responses]);
        run.note("answers", answers);
        return;
      }
      case "look":
        return this.#look(step.namespace);
      case "disconnect":
        this.#clients[step.client]?.socket.close();
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
      case "kick":
        this.#down(step.client)?.disconnect(step.close);
        return;
      case "kick all":
        aimed(run.io.of(step.namespace), step.target).disconnectSockets(step.close);
        return;
      case "packet":
        return this.#packet(step.text);
    }
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
      this.#clients.push({ kind: "old", lane, token, socket });
      await this.#run.saw(lane, /^(connect|error)\b/);
    } else {
      const socket = this.#run.client(lane, { transports, auth: { token } }, namespace);
      this.#clients.push({ kind: "new", lane, token, socket });
      socket.on("ask", reply);
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
    this.#clients.push({ kind: "new", lane, token, socket });
    socket.on("ask", reply);
    await this.#run.quiet();
  }

  #up(client: number): { emit(event: string, ...args: unknown[]): unknown } | undefined {
    const found = this.#clients[client];
    return found?.socket.connected ? found.socket : undefined;
  }

  #down(client: number): Socket | undefined {
    const found = this.#clients[client];
    return this.#run.sockets.find((socket) => found?.socket.connected && socket.id === found.socket.id);
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
    const answers: unknown = await socket.timeout(5000).emitWithAck("ask", ...args.map(toValue));
    this.#run.note("answers", socket.id, answers);
  }

  async #look(name: string): Promise<void> {
    const namespace = this.#run.io.of(name);
    const { rooms } = namespace.adapter;
    const shared = [...rooms].filter(([room]) => !namespace.sockets.has(room));
    const sizes = shared.map(([room, ids]) => `${room} ${ids.size}`).toSorted();
    this.#run.note("look", name, namespace.sockets.size, rooms.size, sizes);
    for (const { id, rooms: own } of await namespace.fetchSockets()) this.#run.note("look", id, [...own]);
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
  "kick",
  "kick all",
  "relay",
]);

function serve(socket: Socket): void {
  socket.on("ask", reply);
  socket.on("relay", (room: string, ...args: unknown[]) => socket.to(room).emit("relayed", ...args));
}

function reply(...args: unknown[]): void {
  const answer = args.pop();
  if (typeof answer === "function") (answer as Answer)("answer", ...args);
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
