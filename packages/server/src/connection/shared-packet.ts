import { Message } from "@tidewire/engine";
import { toBuffer } from "@tidewire/parser";
import type { Binary } from "@tidewire/parser";
import { queueMicrotask } from "../timers.ts";
import type { EncodedPacket, Waiting, WriteOptions } from "./port.ts";

/**
 * An encoded packet on its way to many receivers, and the options with which each of them writes it. Sessions of
 * `@tidewire/engine` all queue the same `Message`s; other engines take the encoded packet.
 */
export class SharedPacket implements WriteOptions {
  readonly preEncoded: boolean = true;
  readonly volatile: boolean | undefined;
  readonly compress: boolean | undefined;
  readonly waits: Waiting | undefined;
  // Private, because other engines copy the fields of the options.
  readonly #encoded: EncodedPacket;
  #messages: readonly Message[] | undefined = undefined;

  constructor(encoded: EncodedPacket, { volatile, compress }: WriteOptions, waits?: Waiting) {
    this.volatile = volatile && waits === undefined;
    this.compress = compress;
    this.waits = waits;
    this.#encoded = encoded;
  }

  get encoded(): EncodedPacket {
    return this.#encoded;
  }

  /** Created for the first session that asks. */
  get messages(): readonly Message[] {
    return (this.#messages ??= this.#encoded.map((part) => toMessage(part, this)));
  }
}

/** The message for one part of an encoded packet: its text or an attachment. */
export function toMessage(part: unknown, { compress }: WriteOptions): Message {
  // Encoders of other parsers may return any kind of bytes.
  const data = typeof part === "string" ? part : toBuffer(part as Binary);
  return compress === false ? new Message(data, { compress: false }) : new Message(data);
}

/**
 * The packet that an adapter of another package is broadcasting. Such an adapter passes the same array and the same options
 * to each receiver in one synchronous pass. The packet is forgotten after the pass, because a parser may encode the next one
 * into the same array.
 */
export class ForeignBroadcast {
  #options: WriteOptions | undefined = undefined;
  #packet: SharedPacket | undefined = undefined;

  messagesOf(encoded: EncodedPacket, options: WriteOptions): readonly Message[] {
    if (this.#packet?.encoded !== encoded || this.#options !== options) {
      if (this.#packet === undefined) queueMicrotask(this.#forget);
      this.#packet = new SharedPacket(encoded, options);
      this.#options = options;
    }
    return this.#packet.messages;
  }

  readonly #forget = (): void => {
    this.#packet = undefined;
    this.#options = undefined;
  };
}
