import { ParseError } from "../errors.ts";
import type { Binary } from "./attachments.ts";
import { PacketDecoder } from "./decoder.ts";
import { DEFAULT_MAX_DEPTH, isDeeperThan } from "./depth.ts";
import type { DecoderOptions } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import { Decoder } from "./event-decoder.ts";
import type { DecodedListener } from "./event-decoder.ts";
import { isReservedEvent, PacketType, protocol } from "./packet.ts";
import type { Packet } from "./packet.ts";

/**
 * What the decoder of any parser offers: `add` emits "decoded" for each packet that is then whole.
 *
 * @example
 * const decoder: EventDecoder = new parser.Decoder();
 * decoder.on("decoded", (packet) => console.log(packet.type, packet.data));
 * decoder.add('2["hello",1]');
 * decoder.destroy();
 */
export interface EventDecoder {
  add(chunk: string | Binary): void;
  on(event: "decoded", listener: DecodedListener): unknown;
  destroy(): void;
}

/** What the `parser:` option takes: this package, `socket.io-parser`, `socket.io-msgpack-parser`, … */
export interface Parser {
  Encoder: new () => { encode(packet: Packet): unknown[] };
  Decoder: new () => EventDecoder;
  PacketType?: unknown;
  protocol?: number;
}

/** The parser of this package as the `parser:` option takes it. */
export const defaultParser: Parser = { Encoder, Decoder, PacketType, protocol };

/**
 * What a decoder calls.
 *
 * @example
 * const receiver: PacketReceiver = {
 *   ondecoded(packet) {
 *     console.log(packet.type, packet.data);
 *   },
 *   onannounced(packet) {
 *     console.log("its attachments follow", packet.data);
 *   },
 * };
 * const decoder = createDecoder(parser, receiver);
 */
export interface PacketReceiver {
  /** Called with each packet of a decoder that emits its packets. The decoder of this package returns them instead. */
  ondecoded(packet: Packet): void;
  /**
   * Called by the decoder of this package with a packet whose attachments are still to come. Destroying the decoder here
   * refuses them.
   */
  onannounced?(packet: Packet): void;
}

/**
 * The decoder of one connection, whichever parser it comes from.
 *
 * @example
 * const decoder = createDecoder(defaultParser, receiver);
 * decoder.add('51-["picture",{"_placeholder":true,"num":0}]'); // undefined: an attachment follows
 * decoder.add(Buffer.from([1, 2, 3])); // the packet
 * decoder.destroy();
 */
export interface ChunkDecoder {
  /**
   * Takes one message of the connection.
   * @returns the packet that it completes, if the decoder has not passed it to the receiver
   * @throws what the parser throws on malformed input
   */
  add(chunk: string | Binary): Packet | undefined;
  /** Frees what an unfinished packet holds. The receiver gets no further packet of the message at hand. */
  destroy(): void;
}

/**
 * Creates a decoder of `parser` for one connection. That of this package returns each packet from `add`; others pass theirs
 * to the receiver, as they emit them.
 * @param options - for the decoder of this package; others are created without arguments, as official hosts do
 */
export function createDecoder(
  parser: Parser,
  receiver: PacketReceiver,
  options?: DecoderOptions,
): ChunkDecoder {
  return parser.Decoder === Decoder
    ? new AnnouncingDecoder(receiver, options)
    : new ForeignDecoder(new parser.Decoder(), receiver);
}

class AnnouncingDecoder extends PacketDecoder implements ChunkDecoder {
  private readonly receiver: PacketReceiver;

  constructor(receiver: PacketReceiver, options: DecoderOptions | undefined) {
    super(options);
    this.receiver = receiver;
  }

  protected override announce(packet: Packet): void {
    this.receiver.onannounced?.(packet);
  }
}

/** Passes on what the decoder of another parser emits. */
class ForeignDecoder implements ChunkDecoder {
  private readonly decoder: EventDecoder;
  private destroyed = false;
  private refusal: ParseError | undefined = undefined;
  /** The size of the largest message since the last packet: none is nested deeper than it has bytes. */
  private size = 0;
  private readonly checksDepth: boolean;

  constructor(decoder: EventDecoder, receiver: PacketReceiver) {
    this.decoder = decoder;
    // A decoder of this package has done it, by the limit it was given.
    this.checksDepth = !(decoder instanceof Decoder);
    decoder.on("decoded", (packet) => {
      if (this.destroyed) return;
      const refusal = this.refusalOf(packet);
      if (refusal === undefined) receiver.ondecoded(packet);
      else this.refusal ??= refusal;
    });
  }

  /** Published parsers let pass what clients must not be able to make up, or to nest. */
  private refusalOf({ type, data }: Packet): ParseError | undefined {
    const isLarge = this.checksDepth && this.size > DEFAULT_MAX_DEPTH;
    this.size = 0;
    if (type === PacketType.EVENT && isReservedEvent(data)) return new ParseError("RESERVED_EVENT");
    return isLarge && isDeeperThan(data, DEFAULT_MAX_DEPTH)
      ? new ParseError("INVALID_PAYLOAD", DEFAULT_MAX_DEPTH)
      : undefined;
  }

  add(chunk: string | Binary): undefined {
    const size = typeof chunk === "string" ? chunk.length : chunk.byteLength;
    if (size > this.size) this.size = size;
    this.decoder.add(chunk);
    // Not thrown by the listener: a decoder may call it whenever it likes.
    if (this.refusal !== undefined) throw this.refusal;
  }

  destroy(): void {
    this.destroyed = true;
    this.decoder.destroy();
  }
}
