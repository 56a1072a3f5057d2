import { internals } from "@tidewire/engine";
import { createDecoder, PacketType } from "@tidewire/parser";
import type { Binary, ChunkDecoder, DecoderOptions, Packet, PacketReceiver, Parser } from "@tidewire/parser";
import type { ResolvedRate } from "./rates.ts";

const { EVENT, BINARY_EVENT } = PacketType;

/** A connection, as the decoder of a connection with rates uses it. */
export interface RatedReceiver extends PacketReceiver {
  /** Called with each packet beyond a rate, which is not passed on. */
  _onOverRate(packet: Packet, code: RateCode, rate: ResolvedRate): void;
}

export type RateCode = "TOO_MANY_EVENTS" | "TOO_MANY_BYTES";

/** How much one connection may send; undefined for no limit. */
export interface Rates {
  readonly events: ResolvedRate | undefined;
  readonly bytes: ResolvedRate | undefined;
}

/** Creates the decoders of a server: plain ones, unless there is a rate. */
export interface Decoders {
  create(receiver: RatedReceiver): ChunkDecoder;
}

export function decodersFor(parser: Parser, options: DecoderOptions | undefined, rates: Rates): Decoders {
  return rates.events === undefined && rates.bytes === undefined
    ? { create: (receiver) => createDecoder(parser, receiver, options) }
    : { create: (receiver) => new RatedDecoder(parser, options, rates, receiver) };
}

/** Stands between a decoder and its connection, and holds back the events beyond a rate. */
class RatedDecoder implements ChunkDecoder, PacketReceiver {
  readonly #decoder: ChunkDecoder;
  readonly #receiver: RatedReceiver;
  readonly #rates: Rates;
  readonly #events: internals.TokenBucket | undefined;
  readonly #bytes: internals.TokenBucket | undefined;
  /** Bytes since the last packet. */
  #size = 0;

  constructor(parser: Parser, options: DecoderOptions | undefined, rates: Rates, receiver: RatedReceiver) {
    this.#receiver = receiver;
    this.#rates = rates;
    this.#events = rates.events && new internals.TokenBucket(rates.events, performance.now());
    this.#bytes = rates.bytes && new internals.TokenBucket(rates.bytes, performance.now());
    this.#decoder = createDecoder(parser, this, options);
  }

  add(chunk: string | Binary): Packet | undefined {
    this.#size += typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.byteLength;
    const packet = this.#decoder.add(chunk);
    return packet !== undefined && this.#lets(packet) ? packet : undefined;
  }

  destroy(): void {
    this.#decoder.destroy();
  }

  ondecoded(packet: Packet): void {
    if (this.#lets(packet)) this.#receiver.ondecoded(packet);
  }

  onannounced(packet: Packet): void {
    this.#receiver.onannounced?.(packet);
  }

  /** Counts a packet. Returns whether it is within the rates. */
  #lets(packet: Packet): boolean {
    const { events, bytes } = this.#rates;
    const now = performance.now();
    const size = this.#size;
    this.#size = 0;
    const isEvent = packet.type === EVENT || packet.type === BINARY_EVENT;
    if (isEvent && events !== undefined && !this.#events!.take(1, events, now)) {
      this.#receiver._onOverRate(packet, "TOO_MANY_EVENTS", events);
      return false;
    }
    // Answers and CONNECTs are counted, but neither side could go on without them.
    if (bytes === undefined || this.#bytes!.take(size, bytes, now)) return true;
    if (!isEvent && bytes.over !== "disconnect") return true;
    this.#receiver._onOverRate(packet, "TOO_MANY_BYTES", bytes);
    return false;
  }
}
