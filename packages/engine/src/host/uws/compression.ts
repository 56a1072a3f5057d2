/** Options of permessage-deflate (RFC 7692), with the names that the package `ws` gives them. */
export interface PerMessageDeflateOptions {
  /**
   * The smallest message that is compressed, in bytes.
   * @default 1024
   */
  threshold?: number | undefined;
  /**
   * Whether the server compresses each message by itself.
   * @default true on uWebSockets.js, false on node:http
   */
  serverNoContextTakeover?: boolean | undefined;
  /**
   * Whether the client compresses each message by itself.
   * @default true on uWebSockets.js, what the client offers on node:http
   */
  clientNoContextTakeover?: boolean | undefined;
  /**
   * Base-two logarithm of the server's window, 9 to 15.
   * @default 15
   */
  serverMaxWindowBits?: number | undefined;
  /**
   * Base-two logarithm of the client's window, 9 to 15.
   * @default 15
   */
  clientMaxWindowBits?: number | boolean | undefined;
  /**
   * Options of zlib for messages that are sent, on node:http.
   * @default none
   */
  zlibDeflateOptions?: object | undefined;
  /**
   * Options of zlib for messages that are received, on node:http.
   * @default none
   */
  zlibInflateOptions?: object | undefined;
  /**
   * How many messages may be compressed at the same time, on node:http.
   * @default 10
   */
  concurrencyLimit?: number | undefined;
}

const DISABLED = 0;
const SHARED_COMPRESSOR = 1;
const SHARED_DECOMPRESSOR = 1 << 8;

/** `DEDICATED_COMPRESSOR_3KB` to `…_256KB`: window bits, then the memory level that suits them. */
const DEDICATED_COMPRESSORS = [0x91, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8] as const;

/**
 * Returns the constant of uWebSockets.js for the options of `ws`. A compressor that all connections share keeps nothing between
 * messages. A dedicated one compresses better, but costs each connection up to 256 KiB, so it needs
 * `serverNoContextTakeover: false`. The same holds for decompressors.
 */
export function uwsCompression(options: false | PerMessageDeflateOptions): number {
  if (!options) return DISABLED;
  const compressor =
    options.serverNoContextTakeover === false
      ? DEDICATED_COMPRESSORS[windowBits(options.serverMaxWindowBits) - 9]!
      : SHARED_COMPRESSOR;
  const decompressor =
    options.clientNoContextTakeover === false
      ? windowBits(options.clientMaxWindowBits) << 8
      : SHARED_DECOMPRESSOR;
  return compressor | decompressor;
}

/** As zlib: 15 unless asked for fewer, and no fewer than 9. */
function windowBits(bits: unknown): number {
  return typeof bits === "number" ? Math.min(15, Math.max(9, Math.trunc(bits))) : 15;
}

/**
 * Returns the smallest window that a compressor can keep to: a shared one always has the largest; a dedicated one is created for
 * its connection, but zlib needs at least 9 bits.
 */
export function fewestWindowBits(compression: number): number {
  return (compression & 0xf0) === 0 ? 15 : 9;
}
