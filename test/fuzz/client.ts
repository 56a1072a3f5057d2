import { engineCodecV3, engineCodecV4 } from "@tidewire/parser";
import type { EngineCodec, EnginePacket } from "@tidewire/parser";
import type { MemoryCall, MemoryRequest, MemoryResponse, MemoryWebSocket, Session } from "@tidewire/engine";
import { WELCOME, numbered, numberOf } from "./world.ts";
import type { Action, Arrival, World } from "./world.ts";

/** What a client asks the application about its session. */
interface ServedSession {
  readonly session: Session;
  readonly open: boolean;
  readonly sent: number;
  readonly received: number;
}

/**
 * A client that keeps to the protocol, at its own pace: what arrives waits in its inbox until it reads. It polls once at a
 * time, posts once at a time, and before it says `5` it waits until both have returned.
 */
export class FuzzClient {
  readonly name: string;
  /** Its session, as the application knows it. */
  served: ServedSession | undefined = undefined;
  state: "idle" | "opening" | "open" | "closed" = "idle";
  /** Keeps to the protocol. */
  orderly = true;
  /** Has left, or has told the server so. */
  left = false;
  /** A request of it broke off. */
  broken = false;
  /** When it sent the last sign of life that counts for the heartbeat, and the last of any kind. */
  heard = 0;
  active = 0;
  /** Number of the next message to the server, and of the next from it. */
  sent = 0;
  received = 0;
  transport: "polling" | "websocket" = "polling";
  upgrade: "none" | "connecting" | "probing" | "pausing" = "none";
  protected readonly world: World;
  protected readonly codec: EngineCodec;
  protected sid = "";
  protected poll: MemoryCall | undefined = undefined;
  protected post: MemoryCall | undefined = undefined;
  protected socket: MemoryWebSocket | undefined = undefined;
  readonly #number: number;
  readonly #binary: boolean;
  #connecting: AbortController | undefined = undefined;
  #inbox: Arrival[] = [];
  #outbox: EnginePacket[] = [];
  #canUpgrade = false;
  #paused = false;
  /** Its WebSocket has been closed, whether it has read of it or not. */
  #cut = false;
  /** When its last sign of life for the heartbeat left; whether it arrives is another matter. */
  #beat = 0;
  /** Numbers of the messages it has read. */
  readonly #seen: Set<number> = new Set();

  constructor(world: World, number: number, protocol: 3 | 4) {
    this.world = world;
    this.#number = number;
    this.name = `c${number}`;
    this.codec = protocol === 3 ? engineCodecV3 : engineCodecV4;
    this.#binary = world.random.chance(0.8);
  }

  /** Has nothing to say or to read, and no upgrade under way. */
  get quiet(): boolean {
    const { served } = this;
    if (this.state !== "open" || served === undefined) return true;
    const { open, session } = served;
    const all =
      served.received === this.sent && served.sent === this.received && session.writeBuffer.length === 0;
    const idle = this.#inbox.length + this.#outbox.length === 0 && this.upgrade === "none";
    return all && idle && open && session.readyState === "open";
  }

  actions(): Action[] {
    const { random } = this.world;
    if (this.state === "idle") return [[5, "opens", () => this.open()]];
    const actions: Action[] = [
      [this.#inbox.length > 0 ? 12 : 0, "reads", () => this.read(random.between(1, 3))],
      [this.state === "opening" ? 0.2 : 0, "leaves early", () => this.leave()],
    ];
    if (this.state !== "open") return actions;
    const polling = this.transport === "polling";
    actions.push(
      [this.mayPoll ? 8 : 0, "polls", () => this.startPoll()],
      [4, "says", () => this.say(random.chance(0.1) ? random.between(15, 60) : random.between(1, 3))],
      [this.mayFlush ? 8 : 0, "flushes", () => this.flush()],
      [this.#canUpgrade && polling && this.upgrade === "none" ? 2 : 0, "upgrades", () => this.startUpgrade()],
      [this.mayFinish ? 4 : 0, "finishes the upgrade", () => this.finishUpgrade()],
      [this.upgrade === "connecting" ? 0.3 : 0, "gives the upgrade up", () => this.giveUp()],
      [this.upgrade === "probing" ? 0.3 : 0, "gives the upgrade up", () => this.giveUp()],
      [this.socket && !this.#paused ? 0.5 : 0, "stops reading", () => this.pause()],
      [this.#paused ? 2 : 0, "reads on", () => this.resume()],
      [this.codec.protocol === 3 ? 1 : 0, "pings", () => this.#outbox.push({ type: "ping" })],
      [0.15, "leaves", () => this.leave()],
    );
    return actions;
  }

  /** All that a client does that is in no hurry to leave. */
  respond(): void {
    this.resume();
    this.read(Number.POSITIVE_INFINITY);
    if (this.mayFinish) this.finishUpgrade();
    if (this.mayPoll) this.startPoll();
    const isDue = this.world.loop.now() - this.#beat > this.world.limits.pingInterval / 3;
    if (isDue && this.codec.protocol === 3) this.#outbox.push({ type: "ping" });
    if (this.mayFlush) this.flush();
  }

  open(): void {
    const { random, limits } = this.world;
    this.state = "opening";
    this.heard = this.#beat = this.active = this.world.loop.now();
    this.transport = random.pick(limits.transports);
    if (this.transport === "polling") this.startPoll();
    else this.#connect();
  }

  get mayPoll(): boolean {
    const free = this.poll === undefined && this.upgrade !== "pausing";
    return this.state === "open" && this.transport === "polling" && free;
  }

  get mayFlush(): boolean {
    if (this.state !== "open" || this.#outbox.length === 0 || this.upgrade === "pausing") return false;
    return this.transport === "websocket" || this.post === undefined;
  }

  get mayFinish(): boolean {
    return this.upgrade === "pausing" && this.poll === undefined && this.post === undefined;
  }

  startPoll(): void {
    this.poll = this.request("poll", { url: this.url(this.transport) });
  }

  say(count: number): void {
    const largest = Math.floor(this.world.limits.maxHttpBufferSize / 6) - 100;
    for (let left = count; left > 0; left--) {
      const data = numbered(this.world.random, this.name, this.sent++, largest);
      this.#outbox.push({ type: "message", data });
    }
  }

  flush(): void {
    this.touch();
    if (this.transport === "websocket") {
      for (const packet of this.#take(this.#outbox.length)) {
        this.frame(this.codec.encodePacket(packet, this.#binary));
      }
      if (!this.#cut && !this.#paused) this.heard = this.#beat;
      return;
    }
    let size = 0;
    let count = 0;
    // As many as the server takes at once; base64 and UTF-8 counted with a wide margin.
    for (const { data } of this.#outbox) {
      size += 40 + (data === undefined ? 0 : Buffer.byteLength(data) * 1.5);
      if (size > this.world.limits.maxHttpBufferSize) break;
      count++;
    }
    this.startPost(this.codec.encodePayload(this.#take(Math.max(1, count)), this.#binary));
  }

  #take(count: number): EnginePacket[] {
    const taken = this.#outbox.splice(0, count);
    const isSign = ({ type }: EnginePacket): boolean => type === "ping" || type === "pong";
    if (taken.some(isSign)) this.#beat = this.world.loop.now();
    return taken;
  }

  startPost(body: string | Buffer): void {
    const headers =
      typeof body === "string"
        ? { "content-type": "text/plain" }
        : { "content-type": "application/octet-stream" };
    const streamed = this.world.random.chance(0.2);
    const bytes = Buffer.from(body);
    const cut = streamed ? this.world.random.below(bytes.length) : bytes.length;
    const call = this.request("post", {
      method: "POST",
      url: this.url("polling"),
      headers,
      body: bytes.subarray(0, cut),
      streamed,
    });
    this.post = call;
    if (streamed) this.world.call(() => call.push(bytes.subarray(cut), true));
  }

  startUpgrade(): void {
    this.upgrade = "connecting";
    this.#connect();
  }

  /** The probe has failed, or is no longer wanted; long-polling continues. */
  giveUp(): void {
    const { socket } = this;
    this.upgrade = "none";
    this.socket = undefined;
    this.#connecting?.abort();
    this.touch();
    if (socket) this.world.call(() => (this.world.random.chance(0.5) ? socket.close() : socket.terminate()));
  }

  finishUpgrade(): void {
    this.upgrade = "none";
    this.transport = "websocket";
    this.frame("5");
  }

  pause(): void {
    this.#paused = true;
    this.socket?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.world.call(() => this.socket?.resume());
  }

  leave(): void {
    const { random } = this.world;
    this.left = this.broken = true;
    this.state = "closed";
    this.world.call(() => this.#connecting?.abort());
    const { socket, poll, post } = this;
    if (this.transport === "polling" && post === undefined && random.chance(0.5) && this.sid) {
      this.startPost(this.codec.encodePayload([{ type: "close" }], true));
    } else if (this.transport === "polling") {
      this.world.call(() => poll?.abort());
      this.world.call(() => post?.abort());
    }
    if (socket) this.world.call(() => (random.chance(0.5) ? socket.close() : socket.terminate()));
  }

  /** Its packets reach the server about now. */
  touch(): void {
    this.active = this.world.loop.now();
  }

  frame(data: string | Buffer): void {
    this.touch();
    const { socket } = this;
    if (socket) this.world.call(() => socket.send(data));
  }

  url(transport: string, sid: string = this.sid): string {
    // A session beside its own is a stranger's: see the application.
    const client = sid || this.state === "opening" ? this.#number : -1;
    const query = `EIO=${this.codec.protocol}&transport=${transport}&client=${client}`;
    return `/engine.io/?${query}${this.#binary ? "" : "&b64=1"}${sid && `&sid=${sid}`}`;
  }

  request(kind: "poll" | "post", request: MemoryRequest): MemoryCall {
    this.touch();
    const { world } = this;
    const name = `${kind} ${request.url} of step ${world.trace.length}`;
    world.unanswered.add(name);
    const call = world.host.request(request);
    const answered = (response?: MemoryResponse): void => {
      world.unanswered.delete(name);
      if (kind === "post" && response?.status === 200) this.heard = this.#beat;
      if (this[kind] === call) this.#inbox.push({ kind, response });
    };
    call.response.then(answered, (error: Error) => {
      if (error.message !== "aborted" && error.message !== "dropped by the server") world.caught(error);
      answered();
    });
    return call;
  }

  #connect(): void {
    this.touch();
    const { world } = this;
    const abort = (this.#connecting = new AbortController());
    const opened = (socket?: MemoryWebSocket): void => {
      if (this.#connecting === abort) this.#connecting = undefined;
      if (socket) world.sockets.push(socket);
      if (abort.signal.aborted) world.call(() => socket?.terminate());
      else this.#inbox.push({ kind: "opened", socket });
    };
    world.host.connect({ url: this.url("websocket") }, abort.signal).then(opened, (error: Error) => {
      if (!("response" in error) && error.message !== "aborted") world.caught(error);
      opened();
    });
  }

  read(count: number): void {
    for (let left = count; left > 0; left--) {
      const arrival = this.#inbox.shift();
      if (arrival === undefined) return;
      if (this.state !== "closed") this.#onArrival(arrival);
      else if (arrival.kind === "opened") this.world.call(() => arrival.socket?.terminate());
    }
  }

  #onArrival(arrival: Arrival): void {
    switch (arrival.kind) {
      case "poll":
        this.poll = undefined;
        if (arrival.response?.status === 200) this.#onPayload(arrival.response);
        else this.lost();
        break;
      case "post":
        this.post = undefined;
        if (arrival.response?.status !== 200) this.lost();
        break;
      case "opened":
        this.#onOpened(arrival.socket);
        break;
      case "frame":
        if (arrival.socket === this.socket) this.#onFrame(arrival.data);
        break;
      case "closed":
        if (arrival.socket === this.socket) this.#onSocketClosed();
    }
  }

  #onOpened(socket: MemoryWebSocket | undefined): void {
    if (socket === undefined) {
      if (this.upgrade === "connecting") this.upgrade = "none";
      else if (this.state === "opening") this.lost();
      return;
    }
    if (this.transport === "polling" && this.upgrade !== "connecting") {
      this.world.call(() => socket.terminate());
      return;
    }
    this.socket = socket;
    socket.onmessage = (data) => this.#inbox.push({ kind: "frame", socket, data });
    this.#cut = false;
    socket.onclose = () => {
      this.#cut = true;
      this.#inbox.push({ kind: "closed", socket });
    };
    if (this.upgrade !== "connecting") return;
    this.upgrade = "probing";
    this.frame("2probe");
  }

  #onFrame(data: string | Buffer): void {
    const packet = this.codec.decodePacket(data);
    if (this.upgrade === "none") {
      this.#onPacket(packet);
    } else if (packet.type === "pong" && packet.data === "probe") {
      this.upgrade = "pausing";
    } else if (this.orderly) {
      this.world.failures.push(`${this.name} read ${String(data)} instead of 3probe`);
    }
  }

  #onPayload({ headers, body }: MemoryResponse): void {
    const binary = headers["content-type"] === "application/octet-stream";
    const packets = [...this.codec.decodePayload(binary ? body : body.toString())];
    for (const [index, packet] of packets.entries()) {
      if (packet.type === "close")
        this.world.expect(index === packets.length - 1, "packets after the close packet");
      this.#onPacket(packet);
    }
  }

  #onPacket({ type, data }: EnginePacket): void {
    if (type === "open") {
      const handshake = JSON.parse(String(data)) as { sid: string; upgrades: string[] };
      this.world.expect(this.state === "opening", `${this.name} was opened twice`);
      this.sid = handshake.sid;
      this.#canUpgrade = handshake.upgrades.includes("websocket");
      this.state = "open";
    } else if (type === "message") {
      this.#onMessage(data ?? "");
    } else if (type === "ping") {
      this.#outbox.push({ type: "pong" });
    } else if (type === "close") {
      this.lost();
    }
  }

  #onMessage(data: string | Buffer): void {
    if (data === WELCOME) return;
    const number = numberOf("s", data);
    const expected = this.orderly
      ? number === this.received
      : number !== undefined && !this.#seen.has(number);
    this.world.expect(expected, `${this.name} read message ${number} instead of ${this.received}`);
    if (number !== undefined) this.#seen.add(number);
    this.received = Math.max(this.received, (number ?? 0) + 1);
  }

  #onSocketClosed(): void {
    this.socket = undefined;
    this.#paused = false;
    if (this.transport === "websocket") this.lost();
    else this.upgrade = "none";
  }

  /** The connection has ended for the client. */
  lost(): void {
    this.state = "closed";
  }
}
