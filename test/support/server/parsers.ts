// Parsers for the option `parser`: published ones, and ones as applications write them.
import { createRequire } from "node:module";
import * as official from "socket.io-parser";
import type { ClientSocket } from "./socketio.ts";

const require = createRequire(import.meta.url);

/** What servers and clients use of a parser. */
export interface AnyParser {
  Encoder: new () => { encode(packet: AnyPacket): unknown };
  Decoder: new () => AnyDecoder;
}

export interface AnyPacket {
  type: number;
  nsp: string;
  data?: unknown;
  id?: number;
}

export interface AnyDecoder {
  add(chunk: unknown): void;
  on(event: "decoded", listener: (packet: AnyPacket) => void): unknown;
  destroy(): void;
}

export const msgpack = require("socket.io-msgpack-parser") as AnyParser;
/** For Socket.IO 2: its encoder calls back. */
export const oldMsgpack = require("socket.io-msgpack-parser-v2") as object;
export const officialParser = official as unknown as AnyParser;

/** Plain JSON with a hand-written emitter; `encode` returns the text as `wrap` converts it to bytes. */
export function jsonParser(wrap: (text: string) => unknown): AnyParser {
  class Decoder implements AnyDecoder {
    #listeners: ((packet: AnyPacket) => void)[] = [];
    add(chunk: unknown): void {
      const packet = JSON.parse(Buffer.from(chunk as string).toString()) as AnyPacket;
      for (const listener of this.#listeners) listener(packet);
    }
    on(_event: "decoded", listener: (packet: AnyPacket) => void): this {
      this.#listeners.push(listener);
      return this;
    }
    off(): void {
      this.#listeners = [];
    }
    removeListener(): void {
      this.#listeners = [];
    }
    destroy(): void {}
  }
  class Encoder {
    encode(packet: AnyPacket): unknown {
      return wrap(JSON.stringify(packet));
    }
  }
  return { Encoder, Decoder };
}

/** What a watched parser was asked to do. */
export interface Watched {
  readonly parser: AnyParser;
  readonly encoded: AnyPacket[];
  readonly chunks: unknown[];
  /** numbers of created and of destroyed decoders */
  made: number;
  destroyed: number;
}

/** A parser that counts its calls. */
export function watched(inner: AnyParser): Watched {
  const account: Watched = { parser: inner, encoded: [], chunks: [], made: 0, destroyed: 0 };
  class Encoder extends inner.Encoder {
    override encode(packet: AnyPacket): unknown {
      account.encoded.push(packet);
      return super.encode(packet);
    }
  }
  class Decoder extends inner.Decoder {
    constructor() {
      super();
      account.made++;
    }
    override add(chunk: unknown): void {
      account.chunks.push(chunk);
      super.add(chunk);
    }
    override destroy(): void {
      account.destroyed++;
      super.destroy();
    }
  }
  return Object.assign(account, { parser: { Encoder, Decoder } });
}

type ClientOf = (url: string, options: object) => ClientSocket;

/** The client of Socket.IO 3. */
export const connectV3 = (require("socket.io-client-v3") as { io: ClientOf }).io;
