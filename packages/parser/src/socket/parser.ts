import { ParseError } from "../errors.ts";
import type { Binary } from "./attachments.ts";
import { PacketDecoder } from "./decoder.ts";
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
}

class ForeignDecoder implements ChunkDecoder {
  private readonly decoder: EventDecoder;
  private destroyed = false;
  private refused = false;

  constructor(decoder: EventDecoder, receiver: PacketReceiver) {
    this.decoder = decoder;
    decoder.on("decoded", (packet) => {
      if (this.destroyed) return;
      // Published parsers let pass what clients must not be able to make up.
      if (packet.type === PacketType.EVENT && isReservedEvent(packet.data)) this.refused = true;
      else receiver.ondecoded(packet);
    });
  }

  add(chunk: string | Binary): void {
    this.decoder.add(chunk);
    // Not thrown by the listener: a decoder may call it whenever it likes.
    if (this.refused) throw new ParseError("RESERVED_EVENT");
  }

  destroy(): void {
    this.destroyed = true;
    this.decoder.destroy();
  }
}
