// What node's own sockets cost: frames by hand on what `upgrade` gives, without `ws`. It knows whole messages and nothing
// else, so no server could be built on it.
import { createHash } from "node:crypto";
import { Floor } from "./floor/floor.mjs";
import { answer, createHttpServer, idOf } from "./floor/http.mjs";
import { listen } from "../harness/listen-node.mjs";

/** @typedef {import("node:stream").Duplex} Duplex */
/** @typedef {import("node:http").ServerResponse} ServerResponse */

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;

/**
 * @param {number} opcode
 * @param {string | Buffer} content
 */
function frameOf(opcode, content) {
  const length = Buffer.byteLength(content);
  const start = length < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x80 | opcode;
  frame[1] = length < 126 ? length : 126;
  if (start === 4) frame.writeUInt16BE(length, 2);
  if (typeof content === "string") frame.write(content, start);
  else frame.set(content, start);
  return frame;
}

/**
 * @param {Buffer} bytes
 * @param {number} start where the content begins, behind its mask
 * @param {number} end
 */
function unmask(bytes, start, end) {
  const [a, b, c, d] = bytes.subarray(start - 4, start);
  for (let i = start; i < end; i += 4) {
    bytes[i] ^= a;
    if (i + 1 < end) bytes[i + 1] ^= b;
    if (i + 2 < end) bytes[i + 2] ^= c;
    if (i + 3 < end) bytes[i + 3] ^= d;
  }
}

/**
 * Reads the frames of a client.
 *
 * @param {Duplex} stream
 * @param {(opcode: number, content: Buffer) => void} onFrame
 */
function readFrames(stream, onFrame) {
  let rest = Buffer.alloc(0);
  stream.on("data", (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 6) {
      const short = bytes[at + 1] & 0x7f;
      const start = at + (short < 126 ? 6 : 8);
      const end = start + (short < 126 ? short : bytes.readUInt16BE(at + 2));
      if (end > bytes.length) break;
      unmask(bytes, start, end);
      onFrame(bytes[at] & 0x0f, bytes.subarray(start, end));
      at = end;
    }
    rest = bytes.subarray(at);
  });
}

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "floor-net",
  title: "hand-written floor on node:http, frames by hand",
  order: 81,
  floor: true,
  host: "node",
  named: true,

  async start({ pingInterval }) {
    /** Frames of the same messages are the same for all. @type {{ messages: Buffer[], frames: Buffer }} */
    let last = { messages: [], frames: Buffer.alloc(0) };
    /** @type {Floor<Duplex, ServerResponse>} */
    const floor = new Floor({
      pingInterval,
      send: (stream, message) => void stream.write(frameOf(TEXT, message)),
      sendAll(stream, messages) {
        if (messages !== last.messages)
          last = { messages, frames: Buffer.concat(messages.map((message) => frameOf(TEXT, message))) };
        stream.write(last.frames);
      },
      answer,
      close: (stream) => void stream.destroy(),
    });

    const httpServer = createHttpServer(floor);
    httpServer.on("upgrade", (req, stream) => {
      const known = floor.polling.get(idOf(req.url));
      const session = known ?? floor.open();
      session.socket = stream;
      floor.sessions.add(session);
      req.socket.setNoDelay(true);
      const accept = createHash("sha1")
        .update(req.headers["sec-websocket-key"] + GUID)
        .digest("base64");
      stream.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      readFrames(stream, (opcode, content) => {
        if (opcode === BINARY) {
          stream.write(Buffer.concat([frameOf(TEXT, floor.onBinary(session)), frameOf(BINARY, content)]));
        } else if (opcode === TEXT) {
          const reply = floor.onText(session, content.toString());
          if (reply !== "") stream.write(frameOf(TEXT, reply));
        } else if (opcode === CLOSE) {
          stream.end(frameOf(CLOSE, content));
        }
      });
      stream.on("error", () => {});
      stream.on("close", () => floor.leave(session));
      if (known === undefined) stream.write(frameOf(TEXT, floor.handshake(session, [])));
    });

    return { port: await listen(httpServer), actions: floor.actions() };
  },
};
