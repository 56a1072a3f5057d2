import { createHash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { decodeFrame, encodeFrame, OPCODE, type Frame, type FrameOptions } from "./frames.ts";
import { Queue, within } from "../waiting/queue.ts";
import {
  UpgradeRefused,
  type CloseEvent,
  type WireRequest,
  type WireResponse,
  type WireSocket,
} from "./client.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A WebSocket client made of a TCP socket and nothing else: it can do all that a library forbids. */
export class RawWebSocket implements WireSocket, Disposable {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  /** Every frame that came, control frames too. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<CloseEvent>;
  readonly #messages = new Queue<string | Buffer>("a WebSocket message");
  readonly #pongs = new Queue<Buffer>("a WebSocket pong");
  #bytes: Buffer[] = [];
  #size = 0;
  #parts: Frame[] = [];
  #closeFrame: CloseEvent | undefined;
  #closeSent = false;
  #watcher: ((frame: Frame) => void) | undefined;
  #settleClosed!: (event: CloseEvent) => void;

  private constructor(socket: Socket, headers: IncomingHttpHeaders, rest: Buffer) {
    this.socket = socket;
    this.headers = headers;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    socket.on("data", (chunk: Buffer) => this.#onBytes(chunk));
    socket.on("close", () => this.#onEnd());
    if (rest.length > 0) {
      this.#onBytes(rest);
    }
  }

  /** Rejects with UpgradeRefused for any answer but 101. */
  static async connect(port: number, path: string, request: WireRequest = {}): Promise<RawWebSocket> {
    const key = randomBytes(16).toString("base64");
    const headers: Record<string, string> = {
      host: `localhost:${port}`,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": key,
      ...request.headers,
    };
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const onAbort = (): void => void socket.resetAndDestroy();
    request.signal?.addEventListener("abort", onAbort, { once: true });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    try {
      const { response, rest } = await within(readHead(socket), "the answer to a WebSocket handshake");
      if (response.status !== 101) {
        throw new UpgradeRefused(await withBody(socket, response, rest));
      }
      const accept = createHash("sha1")
        .update(key + GUID)
        .digest("base64");
      if (response.headers["sec-websocket-accept"] !== accept) {
        throw new Error("wrong Sec-WebSocket-Accept");
      }
      socket.on("error", () => {});
      return new RawWebSocket(socket, response.headers, rest);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      request.signal?.removeEventListener("abort", onAbort);
    }
  }

  get pending(): readonly (string | Buffer)[] {
    return this.#messages.pending;
  }

  next(): Promise<string | Buffer> {
    return this.#messages.next();
  }

  take(count: number): Promise<(string | Buffer)[]> {
    return this.#messages.take(count);
  }

  /** Passes on every frame, beginning with those already received. */
  watch(watcher: (frame: Frame) => void): void {
    for (const frame of this.frames) watcher(frame);
    this.#watcher = watcher;
  }

  /** The payload of the next pong frame (of the WebSocket protocol, not of Engine.IO). */
  nextPong(): Promise<Buffer> {
    return this.#pongs.next();
  }

  sendText(text: string): void {
    this.sendFrame(OPCODE.text, Buffer.from(text));
  }

  sendBinary(data: Buffer): void {
    this.sendFrame(OPCODE.binary, data);
  }

  ping(data: Buffer = Buffer.alloc(0)): void {
    this.sendFrame(OPCODE.ping, data);
  }

  sendFrame(opcode: number, payload: Buffer, options?: FrameOptions): void {
    this.socket.write(encodeFrame(opcode, payload, options));
  }

  /** Sends several text messages in one write, so that they arrive in one read. */
  sendTogether(...texts: string[]): void {
    this.socket.write(Buffer.concat(texts.map((text) => encodeFrame(OPCODE.text, Buffer.from(text)))));
  }

  /** Sends one message cut into that many frames. */
  sendFragmented(opcode: number, payload: Buffer, frames: number): void {
    const step = Math.ceil(payload.length / frames);
    for (let index = 0; index < frames; index++) {
      const part = payload.subarray(index * step, (index + 1) * step);
      this.sendFrame(index === 0 ? opcode : OPCODE.continuation, part, { fin: index === frames - 1 });
    }
  }

  close(code?: number, reason: string = ""): void {
    const payload = Buffer.alloc(code === undefined ? 0 : 2 + Buffer.byteLength(reason));
    if (code !== undefined) {
      payload.writeUInt16BE(code, 0);
      payload.write(reason, 2);
    }
    this.#sendClose(payload);
  }

  /** Stops reading: the kernel's buffers fill, then the server's. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  [Symbol.dispose](): void {
    this.reset();
  }

  /** RST: gone without a close frame. */
  reset(): void {
    // a reset after our own FIN is refused by libuv, and the handle would stay behind
    if (this.socket.writableEnded) {
      this.socket.destroy();
    } else if (!this.socket.destroyed) {
      this.socket.resetAndDestroy();
    }
  }

  #sendClose(payload: Buffer): void {
    if (!this.#closeSent) {
      this.#closeSent = true;
      this.sendFrame(OPCODE.close, payload);
    }
  }

  #onBytes(chunk: Buffer): void {
    this.#bytes.push(chunk);
    this.#size += chunk.length;
    // joining on every chunk would be quadratic for large frames: join when the head says that it is whole
    let bytes = this.#bytes.length === 1 ? chunk : undefined;
    if (bytes === undefined) {
      const head = this.#bytes[0] as Buffer;
      if (head.length >= 10 && this.#size < frameSize(head)) {
        return;
      }
      bytes = Buffer.concat(this.#bytes);
    }
    let decoded = decodeFrame(bytes);
    while (decoded !== undefined) {
      bytes = bytes.subarray(decoded.size);
      this.#onFrame(decoded.frame);
      decoded = decodeFrame(bytes);
    }
    this.#bytes = bytes.length > 0 ? [bytes] : [];
    this.#size = bytes.length;
  }

  #onFrame(frame: Frame): void {
    this.frames.push(frame);
    this.#watcher?.(frame);
    switch (frame.opcode) {
      case OPCODE.ping:
        this.sendFrame(OPCODE.pong, frame.payload);
        return;
      case OPCODE.pong:
        this.#pongs.push(frame.payload);
        return;
      case OPCODE.close: {
        const { payload } = frame;
        const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
        this.#closeFrame = { code, reason: payload.subarray(2).toString() };
        this.#sendClose(payload.subarray(0, 2));
        this.socket.end();
        return;
      }
    }
    this.#parts.push(frame);
    if (frame.fin) {
      const payload = Buffer.concat(this.#parts.map((part) => part.payload));
      const isText = this.#parts[0]?.opcode === OPCODE.text;
      this.#parts = [];
      this.#messages.push(isText ? payload.toString() : payload);
    }
  }

  #onEnd(): void {
    const event = this.#closeFrame ?? { code: 1006, reason: "" };
    this.#settleClosed(event);
    this.#messages.end(new Error(`the WebSocket was closed with ${event.code}`));
    this.#pongs.end(new Error(`the WebSocket was closed with ${event.code}`));
  }
}

function frameSize(head: Buffer): number {
  const length = (head[1] as number) & 0x7f;
  return length < 126
    ? 2 + length
    : length === 126
      ? 4 + head.readUInt16BE(2)
      : 10 + Number(head.readBigUInt64BE(2));
}

function readHead(socket: Socket): Promise<{ response: WireResponse; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end !== -1) {
        // one by one: removeAllListeners() would make the stream flow again on the next tick, paused or not
        socket.off("data", onData);
        socket.off("close", onClose);
        resolve({ response: parseHead(bytes.toString("latin1", 0, end)), rest: bytes.subarray(end + 4) });
      }
    };
    const onClose = (): void => reject(new Error("the connection was closed before an answer"));
    socket.on("data", onData);
    socket.on("close", onClose);
    socket.on("error", reject);
  });
}

function parseHead(head: string): WireResponse {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers: IncomingHttpHeaders = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "set-cookie") {
      (headers["set-cookie"] ??= []).push(value);
    } else {
      const before = headers[name];
      headers[name] = before === undefined ? value : `${String(before)}, ${value}`;
    }
  }
  return { status: Number(statusLine.split(" ")[1]), headers, body: "", raw: Buffer.alloc(0) };
}

/** Reads until Content-Length or the last chunk is there, or the server hangs up; chunks are left as they came. */
async function withBody(socket: Socket, response: WireResponse, rest: Buffer): Promise<WireResponse> {
  const length = Number(response.headers["content-length"] ?? Infinity);
  const isChunked = response.headers["transfer-encoding"] === "chunked";
  let raw = rest;
  const isWhole = (): boolean => (isChunked ? raw.includes("0\r\n\r\n") : raw.length >= length);
  if (!isWhole() && !socket.readableEnded) {
    const whole = new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        raw = Buffer.concat([raw, chunk]);
        if (isWhole()) {
          resolve();
        }
      });
      socket.on("close", () => resolve());
      socket.on("error", () => resolve());
    });
    await within(whole, "the body of a refused upgrade");
  }
  return { ...response, raw, body: raw.toString() };
}
