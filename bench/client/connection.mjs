// A Socket.IO client over WebSocket on a plain TCP socket: the handshake, the root namespace, the heartbeat, and a check of every
// byte after them.
import { clientFrame, CLOSE, frameAt, PING, TEXT } from "./frames.mjs";
import { connect, readBuffer } from "./stream.mjs";

const CONNECT_PACKET = clientFrame("40");
const PONG_PACKET = clientFrame("3");
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/**
 * How a connection opens; by default, with the handshake and the root namespace.
 *
 * @typedef {object} Opening
 * @property {string} query of the WebSocket's URL, after the transport
 * @property {Buffer | undefined} first is sent when the WebSocket opens
 * @property {(connection: Connection, text: string) => boolean | undefined} onText returns whether the connection is open now;
 *   undefined for an unexpected message
 */

/** @type {Opening} */
const DIRECTLY = {
  query: "",
  first: undefined,
  onText(connection, text) {
    if (text.startsWith("0{")) connection.write(CONNECT_PACKET);
    else return text.startsWith("40{") ? true : undefined;
    return false;
  },
};

/**
 * Callbacks of a connection.
 *
 * @typedef {object} ConnectionHandlers
 * @property {(connection: Connection) => void} onOpen the root namespace is connected, over this WebSocket
 * @property {(connection: Connection, count: number) => void} onMessages `count` more messages of the expected stream
 * @property {() => void} onPing a ping came, and was answered
 * @property {(error: Error) => void} onFailure anything unexpected, the end of the connection included
 */

export class Connection {
  /** The headers of the response to the handshake. */
  responseHead = "";
  /** Messages of the expected stream received. */
  received = 0;
  /** Messages sent, counted by the sender. */
  sent = 0;

  /** Gets the contents of frames, if no stream is expected. */
  onFrame;
  /** Is called when the connection ends, if that is not a failure. */
  onEnd;

  #socket;
  #handlers;
  #opening;
  #open = false;
  #closed = false;
  #expected;
  /** Bytes of the expected stream received. */
  #offset = 0;
  /** The beginning of an incomplete frame. */
  #rest;

  constructor(port, handlers, opening = DIRECTLY) {
    this.#handlers = handlers;
    this.#opening = opening;
    this.#socket = connect(
      port,
      (length) => this.#onRead(length),
      (reason) => this.fail(reason),
    );
    this.#socket.write(
      `GET /socket.io/?EIO=4&transport=websocket${opening.query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
    );
  }

  /** From now on, only this stream and pings may arrive. @param stream undefined for nothing */
  expect(stream) {
    this.#expected = stream;
    this.#offset = 0;
    this.received = 0;
  }

  /** @param bytes one or more whole frames */
  write(bytes) {
    this.#socket.write(bytes);
  }

  /** Stops reading, so that data waits in the kernel and then in the server. */
  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  /** Closes the TCP connection without a close frame. */
  destroy() {
    this.#closed = true;
    // Not resetAndDestroy(): if the other end has just closed, that leaves the socket open and the loop busy.
    this.#socket.destroy();
  }

  /** @param length of what is in the read buffer */
  #onRead(length) {
    if (this.#closed) return;
    const stream = this.#expected;
    if (
      stream !== undefined &&
      this.#rest === undefined &&
      stream.matches(readBuffer, 0, length, this.#offset)
    ) {
      this.#advance(stream, length);
      return;
    }
    try {
      this.#onBytes(readBuffer.subarray(0, length));
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  #advance(stream, length) {
    this.#offset += length;
    const received = Math.floor(this.#offset / stream.messageLength);
    const count = received - this.received;
    this.received = received;
    if (count > 0) this.#handlers.onMessages(this, count);
  }

  #onBytes(chunk) {
    const stream = this.#expected;
    let data = chunk;
    if (this.#rest !== undefined) {
      data = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    } else if (stream !== undefined && this.#offset > this.received * stream.messageLength) {
      // The last chunk ended inside a message: return to its beginning.
      const boundary = this.received * stream.messageLength;
      data = Buffer.concat([stream.bytes(boundary, this.#offset), chunk]);
      this.#offset = boundary;
    }
    let at = 0;
    if (this.responseHead === "") {
      at = this.#readHead(data);
      if (at === 0) return;
    }
    while (at < data.length) {
      const frame = frameAt(data, at);
      if (frame === undefined) {
        this.#rest = Buffer.from(data.subarray(at));
        return;
      }
      this.#onFrame(data, at, frame);
      at = frame.end;
    }
  }

  /** @returns the length of the response headers, 0 while they are incomplete */
  #readHead(data) {
    const end = data.indexOf("\r\n\r\n");
    if (end === -1) {
      this.#rest = Buffer.from(data);
      return 0;
    }
    const head = data.toString("latin1", 0, end);
    if (!head.startsWith("HTTP/1.1 101 ") || !head.includes(ACCEPT)) {
      throw new Error(`the handshake was answered with ${JSON.stringify(data.toString("latin1", 0, 300))}`);
    }
    this.responseHead = head;
    if (this.#opening.first !== undefined) this.write(this.#opening.first);
    return end + 4;
  }

  /** @param at where the frame's header starts */
  #onFrame(data, at, { opcode, start, end }) {
    if (opcode === CLOSE)
      throw new Error(`the server closed with ${data.toString("latin1", start + 2, end)}`);
    if (opcode === PING) return;
    if (opcode === TEXT && end - start === 1 && data[start] === 0x32) {
      this.write(PONG_PACKET);
      this.#handlers.onPing();
      return;
    }
    const stream = this.#expected;
    if (stream !== undefined) {
      if (!stream.matches(data, at, end, this.#offset)) {
        const text = data.toString("utf8", start, Math.min(end, start + 120));
        throw new Error(`message ${this.received} of a connection came as ${JSON.stringify(text)}`);
      }
      this.#advance(stream, end - at);
      return;
    }
    if (this.onFrame !== undefined && this.#open) {
      this.onFrame(data, start, end);
      return;
    }
    const text = data.toString("utf8", start, end);
    const opened = this.#open ? undefined : this.#opening.onText(this, text);
    if (opened === undefined) throw new Error(`unexpected message ${JSON.stringify(text.slice(0, 120))}`);
    if (opened) this.opened();
  }

  /** Marks the connection as open. */
  opened() {
    this.#open = true;
    this.#handlers.onOpen(this);
  }

  fail(message) {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    if (this.onEnd !== undefined) this.onEnd();
    else this.#handlers.onFailure(new Error(message));
  }
}
