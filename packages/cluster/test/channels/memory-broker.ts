import type { EventLoop } from "@tidewire/engine";
import type { Channels, ChannelsHandlers } from "../../src/channels/channels.ts";

/** A broker in this process. What it gets in one turn of the loop leaves in the next, for those that have subscribed until then. */
export class MemoryBroker {
  readonly #loop: EventLoop;
  readonly all: MemoryChannels[] = [];
  /** How many publications have arrived at it, by channel. */
  readonly counts: Map<number, number> = new Map();

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** @param maxBytes - the largest publication */
  channels(maxBytes: number = 10_000): MemoryChannels {
    const channels = new MemoryChannels(this.#loop, maxBytes, (channel, payload) =>
      this.#publish(channel, payload),
    );
    this.all.push(channels);
    return channels;
  }

  #publish(channel: number, payload: Buffer): void {
    this.counts.set(channel, (this.counts.get(channel) ?? 0) + 1);
    const subscribers = this.all.filter((each) => each.subscribed.has(channel));
    this.#loop.setImmediate(() => {
      for (const each of subscribers) each.receive(channel, payload);
    });
  }

  /** The numbers of the nodes that have subscribed to a channel. */
  subscribers(channel: number): number[] {
    return [...this.all.keys()].filter((index) => this.all[index]!.subscribed.has(channel));
  }

  /** Nobody reaches it any more. What is under way is lost. */
  kill(): void {
    for (const each of this.all) each.lose();
  }

  restart(): void {
    for (const each of this.all) each.comeBack();
  }
}

/** The channels of one node. */
export class MemoryChannels implements Channels {
  readonly maxBytes: number;
  readonly subscribed: Set<number> = new Set();
  readonly #loop: EventLoop;
  readonly #publish: (channel: number, payload: Buffer) => void;
  readonly #wanted: Set<number> = new Set();
  #handlers: ChannelsHandlers | undefined = undefined;
  #isAway = false;
  /** Publications do not arrive here, and nobody is told. */
  isDeaf = false;
  /** What this node has published, by channel, in order. */
  readonly published: number[] = [];
  /** Publications are confirmed when `confirm()` is called, and not when they arrive at the broker. */
  isSlow = false;
  #unconfirmed = 0;

  constructor(loop: EventLoop, maxBytes: number, publish: (channel: number, payload: Buffer) => void) {
    this.#loop = loop;
    this.maxBytes = maxBytes;
    this.#publish = publish;
  }

  start(_cluster: string, handlers: ChannelsHandlers): void {
    this.#handlers = handlers;
  }

  subscribe(channel: number): Promise<void> {
    this.#wanted.add(channel);
    return new Promise((resolve) => {
      this.#loop.setImmediate(() => {
        if (this.#isAway || !this.#wanted.has(channel)) return;
        this.subscribed.add(channel);
        resolve();
      });
    });
  }

  unsubscribe(channel: number): void {
    this.#wanted.delete(channel);
    this.subscribed.delete(channel);
  }

  get isBusy(): boolean {
    return this.#unconfirmed > 0;
  }

  publish(channel: number, payload: Buffer): void {
    this.published.push(channel);
    if (this.#isAway) return;
    this.#unconfirmed++;
    this.#loop.setImmediate(() => {
      if (this.#isAway) return;
      this.#publish(channel, payload);
      if (!this.isSlow && --this.#unconfirmed === 0) this.#handlers?.onConfirmed();
    });
  }

  confirm(): void {
    this.#unconfirmed = 0;
    this.#handlers?.onConfirmed();
  }

  receive(channel: number, payload: Buffer): void {
    if (!this.isDeaf && this.subscribed.has(channel)) this.#handlers?.onPublication(channel, payload);
  }

  /** This node does not reach the broker any more. */
  lose(): void {
    this.#isAway = true;
    this.#unconfirmed = 0;
    this.subscribed.clear();
    this.#handlers?.onAway(new Error("cut"));
  }

  comeBack(): void {
    this.#isAway = false;
    for (const channel of this.#wanted) this.subscribed.add(channel);
    this.#handlers?.onBack();
  }

  close(): Promise<void> {
    this.#handlers = undefined;
    this.#wanted.clear();
    this.subscribed.clear();
    return Promise.resolve();
  }
}
