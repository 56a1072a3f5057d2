import { setImmediate as turn } from "node:timers/promises";
import { running, seedRandomBytes, time } from "./virtual-time.ts";
import { internals, MemoryHost, Server as Engine } from "@tidewire/engine";
import type { MemoryWebSocket } from "@tidewire/engine";
import { Server } from "@tidewire/server";
import { JournalStore, SharedJournal } from "../../../packages/cluster/test/journal/shared-journal.ts";
import { journalAdapter } from "../../../packages/cluster/src/journal/journal-adapters.ts";
import { Journaling } from "../../../packages/cluster/src/journal/journaling.ts";
import type { LinkPipe, PipeHandlers } from "../../../packages/cluster/src/link/pipe.ts";
import { Members } from "../../../packages/cluster/src/members.ts";
import { Random } from "../random.ts";

/** How long the state of a client waits, in ms. */
const WAIT = 120_000;

/** How long it takes at most until a connection without a client ends, in ms. */
const BLIND = 400_000;

/** Time in which everybody finds everybody again, in ms. */
const HEALING = 10_000;

const CHANNELS = ["all", "r0", "r1"] as const;
type Channel = (typeof CHANNELS)[number];

/**
 * One random life of some nodes with their clients, whose journal is in memory: clients lose their connections and come back anywhere;
 * nodes hang, are killed and close; links are cut; the way to the journal stands still, is lost, and the journal itself is emptied.
 * In the end all of that is over, and every client must have one socket in the cluster, every state must be in the journal once, and
 * each client must have got each event once and in order, unless it was told that it begins anew.
 *
 * @throws with the steps that led there
 */
export async function runRecoverySequence(seed: number): Promise<void> {
  seedRandomBytes(seed);
  const sequence = new RecoverySequence(seed);
  try {
    await sequence.run();
  } catch (error) {
    const { message } = error as Error;
    const steps = sequence.trace.join("\n  ");
    throw new Error(`FUZZ_SEED=${seed} FUZZ_SEQUENCES=1 fails\n  ${steps}\n${message}`, { cause: error });
  } finally {
    time.clear();
  }
}

/** A process with a server. */
class Node {
  readonly name: string;
  readonly host: MemoryHost = new MemoryHost();
  readonly members: Members;
  readonly journal: SharedJournal;
  readonly journaling: Journaling;
  readonly engine: Engine;
  readonly io: Server;
  /** How many events it has sent, by channel. */
  readonly sent: Map<Channel, number> = new Map();
  /** How many messages of other nodes it has missed, as it says. */
  missed = 0;
  isStopped = false;
  /** Whether it was killed, or has closed. */
  isGone = false;
  readonly #inbox: (() => void)[] = [];

  /** In the process of the node. */
  constructor(name: string, store: JournalStore, random: Random, isTotallyOrdered: boolean) {
    this.name = name;
    this.members = new Members(new internals.NodeEventLoop());
    this.journal = new SharedJournal(
      store,
      (task) => this.receive(task),
      () => random.chance(0.5),
    );
    const onGap = (_from: string, missed: number): void => void (this.missed += missed);
    this.journaling = new Journaling(this.journal, this.members, { onAway() {}, onBack() {}, onGap });
    const adapter = journalAdapter(this.journaling, this.members, isTotallyOrdered, onGap);
    this.engine = new Engine({ pingInterval: BLIND / 4, pingTimeout: BLIND / 4 });
    this.engine.attachHost(this.host);
    this.io = new Server({
      adapter: adapter as never,
      connectionStateRecovery: { maxDisconnectionDuration: WAIT },
      connectTimeout: BLIND,
    }).bind(this.engine);
    this.io.on("connection", (socket) => {
      if (!socket.recovered) void socket.join(String(socket.handshake.auth["room"]));
    });
    void this.journaling.start("test");
  }

  /** Something has come, which it reads unless it is stopped. */
  receive(task: () => void): void {
    this.#inbox.push(task);
    this.#readSoon();
  }

  #readSoon(): void {
    setImmediate(() => {
      if (this.isStopped) return;
      const task = this.#inbox.shift();
      if (task !== undefined) running.run(this, task);
    });
  }

  stop(): void {
    this.isStopped = true;
  }

  goOn(): void {
    this.isStopped = false;
    time.fireDue(this);
    for (const _ of this.#inbox) this.#readSoon();
  }

  emit(channel: Channel): void {
    const number = (this.sent.get(channel) ?? 0) + 1;
    this.sent.set(channel, number);
    running.run(this, () => {
      const target = channel === "all" ? this.io : this.io.to(channel);
      target.emit("e", this.name, channel, number);
    });
  }

  kill(): void {
    this.isGone = this.isStopped = true;
    this.#inbox.length = 0;
    this.journal.stall();
    this.journal.lose();
    void this.journal.close();
  }

  async close(): Promise<void> {
    this.isGone = true;
    await running.run(this, async () => {
      await this.io.close();
      await this.journaling.stop();
      this.members.leave();
      this.engine.close();
    });
  }
}

/** One end of a connection between two nodes. */
class Pipe implements LinkPipe {
  other!: Pipe;
  bufferedAmount = 0;
  isStalled = false;
  readonly #node: Node;
  #isOpen = true;
  #handlers: PipeHandlers | undefined = undefined;
  /** What is on its way to the other end. */
  readonly #under: (() => void)[] = [];

  constructor(node: Node) {
    this.#node = node;
  }

  start(handlers: PipeHandlers): void {
    this.#handlers = handlers;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (!this.#isOpen) return true;
    const data = Buffer.concat(chunks);
    this.#pass(() => this.other.#handlers?.onData(data));
    return true;
  }

  end(): void {
    this.#close();
    this.#pass(() => this.other.#lost());
  }

  destroy(): void {
    this.#close();
    this.#pass(() => this.other.#lost());
  }

  /** The connection is gone. */
  lose(): void {
    this.#node.receive(() => this.#lost());
  }

  resume(): void {
    this.isStalled = false;
    for (const task of this.#under.splice(0)) this.other.#node.receive(task);
  }

  #pass(task: () => void): void {
    if (this.isStalled) this.#under.push(task);
    else this.other.#node.receive(task);
  }

  #lost(): void {
    const handlers = this.#handlers;
    this.#close();
    handlers?.onClose(undefined);
  }

  #close(): void {
    this.#isOpen = false;
    this.#handlers = undefined;
  }
}

/** A client, which does what an official one does. */
class Client {
  readonly name: string;
  readonly room: Channel;
  state: "away" | "connecting" | "connected" = "away";
  node: Node | undefined = undefined;
  sid: string | undefined = undefined;
  #pid: string | undefined = undefined;
  #offset: string | undefined = undefined;
  #socket: MemoryWebSocket | undefined = undefined;
  /** Another one for each connection. */
  #connection = {};
  /** The number of the latest event, by sender and channel; of events since it began anew. */
  readonly latest: Map<string, number> = new Map();
  /** Events before which others are missing. */
  readonly missing: string[] = [];
  recoveries = 0;
  readonly #fail: (what: string) => void;
  /** What it is told while its line is slow. */
  #slow: (() => void)[] | undefined = undefined;

  constructor(name: string, room: Channel, fail: (what: string) => void) {
    this.name = name;
    this.room = room;
    this.#fail = (what) => fail(`${name}: ${what}`);
  }

  connect(node: Node): void {
    this.leaveLine();
    const connection = (this.#connection = {});
    this.state = "connecting";
    this.node = node;
    node.receive(() => void this.#open(node, connection));
  }

  async #open(node: Node, connection: object): Promise<void> {
    const socket = await node.host.connect({ url: "/engine.io/?EIO=4&transport=websocket" });
    const isCurrent = (): boolean => this.#connection === connection;
    const told = (run: () => void): void => {
      if (!isCurrent()) return;
      if (this.#slow !== undefined) this.#slow.push(() => isCurrent() && run());
      else run();
    };
    if (isCurrent()) this.#socket = socket;
    socket.onmessage = (data) => told(() => this.#read(String(data)));
    socket.onclose = () => told(() => this.#onClose());
    socket.send(`40${JSON.stringify({ room: this.room, pid: this.#pid, offset: this.#offset })}`);
    // It has given up before: its end was behind what it had sent.
    if (!isCurrent()) node.receive(() => socket.terminate());
  }

  #send(text: string): void {
    const socket = this.#socket;
    this.node?.receive(() => socket?.send(text));
  }

  #onClose(): void {
    this.state = "away";
    this.#socket = this.#slow = undefined;
  }

  /** The connection breaks, and the server sees it. */
  drop(): void {
    const socket = this.#socket;
    this.leaveLine();
    if (socket !== undefined) this.node?.receive(() => socket.terminate());
  }

  /** It breaks, and the server sees nothing. */
  leaveLine(): void {
    this.#connection = {};
    this.#onClose();
  }

  get isSlow(): boolean {
    return this.#slow !== undefined;
  }

  slowDown(): void {
    this.#slow = [];
  }

  speedUp(): void {
    const slow = this.#slow ?? [];
    this.#slow = undefined;
    for (const run of slow) run();
  }

  #read(text: string): void {
    if (text === "2") this.#send("3");
    else if (text.startsWith("40"))
      this.#onConnect(JSON.parse(text.slice(2)) as { sid: string; pid: string });
    else if (text.startsWith("42")) this.#onEvent(JSON.parse(text.slice(2)) as unknown[]);
    else if (text.startsWith("41") || text.startsWith("44")) this.#fail(`was sent ${text}`);
  }

  #onConnect({ sid, pid }: { sid: string; pid: string }): void {
    this.state = "connected";
    if (pid === this.#pid) {
      this.recoveries++;
      if (sid !== this.sid) this.#fail("has another id although it was recovered");
    } else {
      this.latest.clear();
      this.#offset = undefined;
    }
    this.#pid = pid;
    this.sid = sid;
  }

  get pid(): string | undefined {
    return this.#pid;
  }

  #onEvent([, sender, channel, number, offset]: unknown[]): void {
    if (typeof offset !== "string") this.#fail("got an event without an offset");
    this.#offset = String(offset);
    if (channel !== "all" && channel !== this.room) this.#fail(`is not in ${String(channel)}`);
    const key = `${String(sender)} ${String(channel)}`;
    const latest = this.latest.get(key);
    const event = `event ${String(number)} of ${key} after ${latest}`;
    if (latest !== undefined && Number(number) <= latest) this.#fail(`got ${event}, once more or too late`);
    if (latest !== undefined && Number(number) > latest + 1) this.missing.push(`${this.name} got ${event}`);
    this.latest.set(key, Number(number));
  }
}

interface Way {
  readonly pair: readonly [Node, Node];
  isCut: boolean;
  pipes: readonly [Pipe, Pipe] | undefined;
}

class RecoverySequence {
  readonly trace: string[] = [];
  readonly #random: Random;
  readonly #store: JournalStore = new JournalStore(() => time.now);
  readonly #nodes: Node[] = [];
  readonly #ways: Way[] = [];
  readonly #clients: readonly Client[];
  readonly #failures: string[] = [];
  readonly #isTotallyOrdered: boolean;
  readonly #may: Readonly<Record<"hang" | "cut" | "lose" | "clear" | "end" | "slow", boolean>>;
  #started = 0;

  constructor(seed: number) {
    const random = (this.#random = new Random(seed));
    this.#isTotallyOrdered = random.chance(0.2);
    this.#may = {
      hang: random.chance(0.5),
      cut: random.chance(0.3),
      lose: random.chance(0.4),
      clear: random.chance(0.1),
      end: random.chance(0.4),
      slow: random.chance(0.3),
    };
    this.#clients = Array.from({ length: random.between(1, 4) }, (_, index) => {
      const room = random.pick(["r0", "r1"] as const);
      return new Client(`client ${index}`, room, (what) => this.#failures.push(what));
    });
  }

  async run(): Promise<void> {
    const random = this.#random;
    for (let left = 3; left > 0; left--) this.#start();
    await this.#pass(100);
    for (let left = random.between(10, 60); left > 0; left--) {
      this.#step();
      await this.#settle();
    }
    await this.#finish();
  }

  #note(step: string): void {
    this.trace.push(`${(time.now / 1000).toFixed(3)} ${step}`);
  }

  #start(): void {
    const name = `N${++this.#started}`;
    this.#note(`${name} starts`);
    const owner: { isStopped: boolean } = { isStopped: false };
    const node = running.run(owner, () => new Node(name, this.#store, this.#random, this.#isTotallyOrdered));
    // What was started meanwhile stops with it.
    Object.defineProperty(owner, "isStopped", { get: () => node.isStopped });
    for (const other of this.#nodes) this.#ways.push({ pair: [other, node], isCut: false, pipes: undefined });
    this.#nodes.push(node);
  }

  get #alive(): Node[] {
    return this.#nodes.filter(({ isGone }) => !isGone);
  }

  #step(): void {
    const random = this.#random;
    const client = random.pick(this.#clients);
    const node = random.pick(this.#alive);
    const may = this.#may;
    const kind = random.weighted([
      [10, "emit"],
      [8, "some time"],
      [client.state === "connected" ? 3 : 0, "drop"],
      [client.state === "connected" ? 2 : 0, "lose line"],
      [client.state === "connecting" ? 2 : 0, "give up"],
      [client.state === "away" ? 12 : 0, "connect"],
      [may.slow && client.state === "connected" ? 2 : 0, "slow"],
      [may.hang ? 3 : 0, "hang"],
      [may.cut ? 2 : 0, "cut"],
      [may.lose || may.clear ? 3 : 0, "lose"],
      [may.clear ? 0.5 : 0, "clear"],
      [may.end && this.#alive.length > 1 ? 1 : 0, "end"],
    ]);
    switch (kind) {
      case "emit": {
        if (node.isStopped) break;
        const channel = random.pick(CHANNELS);
        node.emit(channel);
        this.#note(`${node.name} emits ${node.sent.get(channel)} to ${channel}`);
        break;
      }
      case "some time":
        this.#due = random.weighted([
          [10, random.between(1, 50)],
          [4, random.between(50, 1000)],
          [2, random.between(1000, 6000)],
          [0.2, random.between(10_000, 30_000)],
        ])!;
        break;
      case "drop":
      case "give up":
        this.#note(`${client.name} drops its connection`);
        client.drop();
        break;
      case "lose line":
        this.#note(`${client.name} loses its line to ${client.node?.name}`);
        client.leaveLine();
        break;
      case "connect":
        this.#connect(client, node);
        break;
      case "slow":
        this.#note(`the line of ${client.name} is ${client.isSlow ? "fast again" : "slow"}`);
        if (client.isSlow) client.speedUp();
        else client.slowDown();
        break;
      case "hang":
        this.#note(`${node.name} ${node.isStopped ? "goes on" : "hangs"}`);
        if (node.isStopped) node.goOn();
        else node.stop();
        break;
      case "cut":
        this.#cutOrMend();
        break;
      case "lose":
        this.#disturbJournal(node);
        break;
      case "clear":
        this.#note("the journal loses everything");
        for (const { journal } of this.#alive) journal.lose();
        this.#store.clear();
        break;
      case "end":
        this.#end(node);
        break;
      default:
    }
  }

  /** How much time is to pass next, in ms. */
  #due = 0;

  #connect(client: Client, node: Node): void {
    this.#note(`${client.name} connects to ${node.name}`);
    client.connect(node);
  }

  #cutOrMend(): void {
    const ways = this.#ways.filter(({ pair }) => pair.every(({ isGone }) => !isGone));
    if (ways.length === 0) return;
    const way = this.#random.pick(ways);
    const names = way.pair.map(({ name }) => name).join("-");
    way.isCut = !way.isCut;
    this.#note(`${names} is ${way.isCut ? "cut" : "whole again"}`);
    if (!way.isCut) for (const pipe of way.pipes ?? []) pipe.resume();
    else if (this.#random.chance(0.5)) for (const pipe of way.pipes ?? []) pipe.isStalled = true;
    else this.#lose(way);
  }

  #lose(way: Way): void {
    for (const pipe of way.pipes ?? []) pipe.lose();
    way.pipes = undefined;
  }

  #disturbJournal({ name, journal }: Node): void {
    const what = this.#random.pick(["stalls", "is lost", "goes on", "goes on"]);
    this.#note(`the way of ${name} to the journal ${what}`);
    if (what === "stalls") journal.stall();
    else if (what === "is lost") journal.lose();
    else journal.goOn();
  }

  #end(node: Node): void {
    if (!node.isStopped && this.#random.chance(0.4)) {
      this.#note(`${node.name} closes`);
      void node.close();
    } else {
      this.#note(`${node.name} is killed`);
      node.kill();
      for (const way of this.#ways) if (way.pair.includes(node)) this.#lose(way);
      // Their connections are reset.
      for (const client of this.#clients) if (client.node === node) client.leaveLine();
    }
    if (this.#alive.length < 3 && this.#random.chance(0.5)) this.#start();
  }

  /** Nodes that can reach each other and are not linked link. */
  #link(): void {
    for (const way of this.#ways) {
      const [a, b] = way.pair;
      if (way.isCut || a.isGone || b.isGone || a.isStopped || b.isStopped) continue;
      if (a.members.link(b.members.self) !== undefined && b.members.link(a.members.self) !== undefined)
        continue;
      for (const pipe of way.pipes ?? []) pipe.resume();
      const [dialer, listener] = a.members.self < b.members.self ? [a, b] : [b, a];
      const pipes = [new Pipe(dialer), new Pipe(listener)] as const;
      [pipes[0].other, pipes[1].other] = [pipes[1], pipes[0]];
      way.pipes = pipes;
      listener.receive(() => listener.members.accept(pipes[1]));
      dialer.receive(() => dialer.members.dial(pipes[0]));
    }
  }

  async #turns(): Promise<void> {
    for (let turns = 0; turns < 6; turns++) await turn();
  }

  async #settle(): Promise<void> {
    for (let rounds = 0; rounds < 3; rounds++) await this.#turns();
    if (this.#due > 0) {
      this.#note(`${this.#due} ms pass`);
      await this.#pass(this.#due);
      this.#due = 0;
    }
    this.#check();
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.#link();
      await time.pass(Math.min(left, 500), () => this.#turns());
    }
    for (let rounds = 0; rounds < 3; rounds++) await this.#turns();
  }

  #check(): void {
    if (this.#failures.length > 0) throw new Error(this.#failures.join("\n"));
  }

  async #finish(): Promise<void> {
    this.#note("all is well again");
    for (const node of this.#alive) {
      if (node.isStopped) node.goOn();
      node.journal.goOn();
    }
    for (const way of this.#ways) {
      way.isCut = false;
      for (const pipe of way.pipes ?? []) pipe.resume();
    }
    for (const client of this.#clients) if (client.isSlow) client.speedUp();
    for (let left = HEALING; left > 0; left -= 1000) {
      await this.#pass(1000);
      this.#bringBack();
    }
    await this.#pass(3000);
    this.#check();
    this.#checkSockets();
    for (const node of this.#alive) for (const channel of CHANNELS) node.emit(channel);
    await this.#pass(1000);
    this.#checkArrived();
    this.#checkStates();
    this.#check();
    // Connections whose clients have left without a word end.
    await this.#passQuickly(BLIND);
    this.#checkCount();
    this.#check();
    for (const client of this.#clients) client.drop();
    await this.#passQuickly(WAIT + 30_000);
    this.#expect(this.#states().size === 0, `states are left: ${[...this.#states().keys()].join(", ")}`);
    for (const node of this.#alive) await node.close();
    this.#check();
  }

  async #passQuickly(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 5000) {
      this.#link();
      await time.pass(5000, () => turn());
    }
  }

  #bringBack(): void {
    for (const client of this.#clients) {
      if (client.state === "away" || client.node?.isGone === true) {
        this.#connect(client, this.#random.pick(this.#alive));
      }
    }
  }

  #expect(isTrue: boolean, otherwise: string): void {
    if (!isTrue) this.#failures.push(otherwise);
  }

  #checkSockets(): void {
    for (const { name, state, sid, node } of this.#clients) {
      this.#expect(state === "connected", `${name} is ${state}`);
      const has = this.#alive.filter(({ io }) => io.sockets.sockets.has(sid!)).map((each) => each.name);
      this.#expect(
        has.join() === node?.name,
        `${name} is at ${node?.name}, its sockets are at ${has.join()}`,
      );
    }
  }

  #checkArrived(): void {
    const missing = this.#clients.flatMap((client) => client.missing);
    const isTold = this.#nodes.some(({ missed }) => missed > 0);
    this.#expect(missing.length === 0 || isTold, `${missing.join(", ")}, and no node has said so`);
    for (const { name, room, latest, node } of this.#clients) {
      for (const sender of this.#alive) {
        for (const channel of ["all", room] as const) {
          const key = `${sender.name} ${channel}`;
          const last = latest.get(key);
          const sent = sender.sent.get(channel);
          this.#expect(last === sent, `${name} at ${node?.name} has ${last} of ${sent} events of ${key}`);
        }
      }
    }
  }

  #states(): Map<string, string[]> {
    const states = new Map<string, string[]>();
    for (const [publisher, kept] of this.#store.states) {
      const name =
        this.#nodes.find(({ journaling }) => journaling.publisher === publisher)?.name ?? publisher;
      if (this.#nodes.find((each) => each.name === name)?.isGone === true) continue;
      for (const field of kept.keys()) states.set(field, [...(states.get(field) ?? []), name]);
    }
    return states;
  }

  #checkStates(): void {
    const states = this.#states();
    for (const [field, at] of states) this.#expect(at.length === 1, `the state ${field} is at ${at.join()}`);
    for (const { name, pid, node } of this.#clients) {
      const at = states.get(`${pid} /`)?.join() ?? "none";
      this.#expect(at === node?.name, `${name} is at ${node?.name}, its state at ${at}`);
    }
  }

  #checkCount(): void {
    const there = this.#alive.flatMap(({ name, io }) =>
      [...io.sockets.sockets.keys()].map((id) => `${id} at ${name}`),
    );
    this.#expect(
      there.length === this.#clients.length,
      `${this.#clients.length} clients have sockets ${there.join(", ")}`,
    );
  }
}
