// The floors on node:http: one with `ws`, and one that reads and writes frames by hand. The latter supports only complete messages, so
// it is not enough for a real server.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { Floor } from "../harness/floor.mjs";
import { listenNode } from "../harness/listen.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const [TEXT, BINARY, CLOSE] = [1, 2, 8];

const idOf = (url) => /[?&]sid=([^&]*)/.exec(url)?.[1] ?? "";

function answer(res, body) {
  res.setHeader("content-type", "text/plain; charset=UTF-8");
  res.setHeader("content-length", Buffer.byteLength(body));
  res.end(body);
}

/** Long-polling. */
function createHttpServer(floor) {
  return createServer((req, res) => {
    const session = floor.polling.get(idOf(req.url));
    if (session === undefined) {
      answer(res, floor.handshake(floor.openPolling(), ["websocket"]));
    } else if (req.method === "POST") {
      let body = "";
      req.setEncoding("utf8").on("data", (chunk) => (body += chunk));
      req.on("end", () => {
        floor.onPost(session, body);
        answer(res, "ok");
      });
    } else {
      const queue = floor.onGet(session, res);
      if (queue !== "") answer(res, queue);
    }
  });
}

/** Begins a session with a WebSocket, or upgrades one. */
function opened(floor, req, socket, send) {
  const known = floor.polling.get(idOf(req.url));
  const session = known ?? floor.open();
  floor.join(session, socket);
  socket.on("close", () => floor.leave(session));
  if (known === undefined) send(floor.handshake(session, []));
  return session;
}

async function startWs({ pingInterval }) {
  const { WebSocketServer } = await import("ws");
  const text = { binary: false };
  const floor = new Floor({
    pingInterval,
    send: (ws, message) => ws.send(message, text),
    sendAll(ws, messages) {
      for (let i = 0; i < messages.length; i++) ws.send(messages[i], text);
    },
    answer,
    close: (ws) => ws.close(),
  });
  const httpServer = createHttpServer(floor);
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
  httpServer.on("upgrade", (req, stream, head) => {
    server.handleUpgrade(req, stream, head, (ws) => {
      const session = opened(floor, req, ws, (message) => ws.send(message));
      ws.on("message", (/** @type {Buffer} */ data, isBinary) => {
        if (isBinary) {
          ws.send(floor.onBinary(session));
          ws.send(data);
          return;
        }
        const reply = floor.onText(session, data.toString());
        if (reply !== "") ws.send(reply);
      });
    });
  });
  return { port: await listenNode(httpServer), actions: floor.actions() };
}

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

/** Unmasks `bytes[start..end]`; the mask is in the four bytes before. */
function unmask(bytes, start, end) {
  const [a, b, c, d] = bytes.subarray(start - 4, start);
  for (let i = start; i < end; i += 4) {
    bytes[i] ^= a;
    if (i + 1 < end) bytes[i + 1] ^= b;
    if (i + 2 < end) bytes[i + 2] ^= c;
    if (i + 3 < end) bytes[i + 3] ^= d;
  }
}

/** Reads the frames of a client. */
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

async function startNet({ pingInterval }) {
  /** The frames of the last broadcast, which all connections share. */
  let last = { messages: undefined, frames: Buffer.alloc(0) };
  const floor = new Floor({
    pingInterval,
    send: (stream, message) => stream.write(frameOf(TEXT, message)),
    sendAll(stream, messages) {
      if (messages !== last.messages)
        last = { messages, frames: Buffer.concat(messages.map((message) => frameOf(TEXT, message))) };
      stream.write(last.frames);
    },
    answer,
    close: (stream) => stream.destroy(),
  });
  const httpServer = createHttpServer(floor);
  httpServer.on("upgrade", (req, stream) => {
    req.socket.setNoDelay(true);
    stream.on("error", () => {});
    const accept = createHash("sha1").update(req.headers["sec-websocket-key"] + GUID);
    stream.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
    );
    const session = opened(floor, req, stream, (message) => stream.write(frameOf(TEXT, message)));
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
  });
  return { port: await listenNode(httpServer), actions: floor.actions() };
}

/** @type {Variant[]} */
export default [
  {
    name: "floor-ws",
    title: "hand-written floor on node:http + ws",
    floor: true,
    host: "node",
    start: startWs,
  },
  {
    name: "floor-net",
    title: "hand-written floor on node:http, frames by hand",
    floor: true,
    host: "node",
    named: true,
    start: startNet,
  },
];
