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

/** What the decoder of any parser offers: `add` emits "decoded" for each packet that is then whole. */
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

/** Who receives the packets of a decoder. */
export interface PacketReceiver {
  ondecoded(packet: Packet): void;
  /**
   * Called with a packet whose attachments are still to come, where the parser is that of this package. Who destroys the
   * decoder here gets none of them.
   */
  onannounced?(packet: Packet): void;
}

/** A decoder that hands its packets to the receiver it was created with. */
export interface ChunkDecoder {
  /** Takes one message of the connection; throws what the parser throws on malformed input. */
  add(chunk: string | Binary): void;
  /** Frees what an unfinished packet holds. Packets still to come of a chunk at hand are dropped. */
  destroy(): void;
}

/**
 * A decoder of `parser` for one connection; the receiver is called within `add`, once per whole packet.
 * @param options - for the decoder of this package; others are created without arguments, as official hosts do
 */
export function createDecoder(
  parser: Parser,
  receiver: PacketReceiver,
  options?: DecoderOptions,
): ChunkDecoder {
  return parser.Decoder === Decoder
    ? new DirectDecoder(receiver, options)
    : new ForeignDecoder(new parser.Decoder(), receiver);
}

class DirectDecoder extends PacketDecoder implements ChunkDecoder {
  private readonly receiver: PacketReceiver;

  constructor(receiver: PacketReceiver, options: DecoderOptions | undefined) {
    super(options);
    this.receiver = receiver;
  }

  override add(chunk: string | Binary): undefined {
    const packet = super.add(chunk);
    if (packet !== undefined) {
      this.receiver.ondecoded(packet);
    }
  }

  protected override announce(packet: Packet): void {
    this.receiver.onannounced?.(packet);
  }
}

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

  add(chunk: string | Binary): void {
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
