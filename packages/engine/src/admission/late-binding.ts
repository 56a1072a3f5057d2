import type { HttpExchange, RequestSource, UpgradeExchange } from "../host/host.ts";
import { parseQuery } from "../http/query.ts";
import { protocolOf } from "../protocol/index.ts";
import { Message } from "../protocol/packet.ts";
import { openPacket } from "../session/handshake.ts";
import { PollingTransport } from "../transport/polling.ts";
import type { Transport } from "../transport/transport.ts";
import type { Claim, EngineCluster } from "./cluster.ts";
import { HeldSession } from "./held-session.ts";
import type { HeldSessionOwner } from "./held-session.ts";
import type { AdmissionOwner } from "./pending-request.ts";

/** What late binding needs of the admission. */
export interface LateBindingHandlers {
  onRequest(exchange: HttpExchange): void;
  onUpgrade(exchange: UpgradeExchange): void;
  admit(exchange: HttpExchange): void;
  refuseUnknown(exchange: HttpExchange): void;
}

/** Opens the sessions of an engine that has joined a cluster: those that may still move to another node are held first. */
export class LateBinding implements AdmissionOwner, HeldSessionOwner {
  readonly #owner: AdmissionOwner;
  readonly #cluster: EngineCluster;
  readonly #handlers: LateBindingHandlers;
  readonly #held: Map<string, HeldSession> = new Map();

  constructor(owner: AdmissionOwner, cluster: EngineCluster, handlers: LateBindingHandlers) {
    this.#owner = owner;
    this.#cluster = cluster;
    this.#handlers = handlers;
  }

  get engine(): AdmissionOwner["engine"] {
    return this.#owner.engine;
  }

  get clock(): AdmissionOwner["engine"]["clock"] {
    return this.engine.clock;
  }

  get bindTimeout(): number {
    return this.#cluster.bindTimeout;
  }

  get loop(): AdmissionOwner["engine"]["loop"] {
    return this.engine.loop;
  }

  newId(request: RequestSource): unknown {
    return this.#owner.newId(request);
  }

  find(sid: string): HeldSession | undefined {
    return this.#held.get(sid);
  }

  openSession(
    id: string,
    transport: Transport,
    request: RequestSource | undefined,
    greeting?: HttpExchange | "greeted",
  ): void {
    const { engine } = this;
    const isHeld =
      greeting !== undefined &&
      greeting !== "greeted" &&
      this.#cluster.bindsLate &&
      engine.upgrades(transport.name).includes("websocket");
    if (!isHeld) {
      this.#owner.openSession(id, transport, request, greeting);
      return;
    }
    const { initialPacket } = engine.opts;
    const packets = [openPacket(id, transport.name, engine)];
    if (initialPacket) packets.push(new Message(initialPacket));
    transport.sid = id;
    transport.onRequest(greeting);
    transport.send(packets);
    engine.addressLimits?.opened(id, greeting.request);
    this.#held.set(id, new HeldSession(id, greeting.request, this));
  }

  /** Begins to hand a held session over to another node. */
  claim(sid: string, onRevoked: () => void): Claim | undefined {
    return this.#held.get(sid)?.claimBy(onRevoked);
  }

  bindAll(): void {
    for (const held of this.#held.values()) held.bind();
  }

  closeAll(): void {
    for (const held of this.#held.values()) held.close();
  }

  open({ id, source }: HeldSession): void {
    this.#owner.openSession(id, this.#transport(source), source, "greeted");
  }

  closePoll({ id, source }: HeldSession, exchange: HttpExchange): void {
    const transport = this.#transport(source);
    transport.sid = id;
    transport.onRequest(exchange);
    transport.close();
  }

  #transport({ head }: RequestSource): PollingTransport {
    const query = parseQuery(head.url);
    return new PollingTransport(protocolOf(query), query, this.engine);
  }

  forget({ id }: HeldSession): void {
    this.#held.delete(id);
    this.engine.addressLimits?.closed(id);
  }

  onRequest(exchange: HttpExchange): void {
    this.#handlers.onRequest(exchange);
  }

  onUpgrade(exchange: UpgradeExchange): void {
    this.#handlers.onUpgrade(exchange);
  }

  admit(exchange: HttpExchange): void {
    this.#handlers.admit(exchange);
  }

  refuseUnknown(exchange: HttpExchange): void {
    this.#handlers.refuseUnknown(exchange);
  }
}
