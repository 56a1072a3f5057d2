import type { Binary } from "./attachments.ts";
import { PacketDecoder } from "./decoder.ts";
import type { DecoderOptions, Reviver } from "./decoder.ts";
import type { Packet } from "./packet.ts";

/** Called with each whole packet. */
export type DecodedListener = (packet: Packet) => void;

/**
 * {@link PacketDecoder} in the form that the `parser:` option of a server or client takes: packets are emitted as
 * "decoded", within `add`. It has the part of an event emitter that such hosts use, for this one event.
 *
 * @example
 * const decoder = new Decoder();
 * const print = (packet: Packet) => console.log(packet.data);
 * decoder.on("decoded", print);
 * decoder.once("decoded", () => console.log("the first one"));
 * decoder.add('2["hello",1]');
 * decoder.emit("decoded", packet); // what `add()` does
 * decoder.off("decoded", print);
 * decoder.removeListener("decoded", print); // the same
 * decoder.removeAllListeners("decoded");
 * decoder.destroy();
 */
export class Decoder {
  private readonly decoder: PacketDecoder;
  private listeners: readonly DecodedListener[] = [];

  /** @param options - or, as the official decoder takes it, only the reviver */
  constructor(options?: DecoderOptions | Reviver) {
    this.decoder = new PacketDecoder(typeof options === "function" ? { reviver: options } : options);
  }

  /**
   * Takes one message of the connection.
   * @throws ParseError
   */
  add(chunk: string | Binary): void {
    const packet = this.decoder.add(chunk);
    if (packet !== undefined) {
      this.emit("decoded", packet);
    }
  }

  /** Forgets a packet that still waits for attachments. */
  destroy(): void {
    this.decoder.destroy();
  }

  on(event: "decoded", listener: DecodedListener): this {
    this.listeners = [...this.listeners, listener];
    return this;
  }

  once(event: "decoded", listener: DecodedListener): this {
    const once = (packet: Packet): void => {
      this.off(event, once);
      listener(packet);
    };
    return this.on(event, Object.assign(once, { listener }));
  }

  /** Removes one listener, or all if none is given. */
  off(event?: "decoded", listener?: DecodedListener): this {
    const kept = (other: DecodedListener & { listener?: DecodedListener }): boolean =>
      other !== listener && other.listener !== listener;
    this.listeners = listener === undefined ? [] : this.listeners.filter(kept);
    return this;
  }

  removeListener(event: "decoded", listener: DecodedListener): this {
    return this.off(event, listener);
  }

  removeAllListeners(event?: "decoded"): this {
    return this.off(event);
  }

  emit(event: "decoded", packet: Packet): boolean {
    const { listeners } = this;
    for (const listener of listeners) {
      listener(packet);
    }
    return listeners.length > 0;
  }
}
