// The floor of node:http: the least a program can do on it and `ws`.
import { createServer } from "node:http";
import { Floor } from "../floor/floor.mjs";
import { listen } from "../listen-node.mjs";

/** @typedef {import("ws").WebSocket} WebSocket */
/** @typedef {import("node:http").ServerResponse} ServerResponse */

/** @param {string | undefined} url */
const idOf = (url = "") => /[?&]sid=([^&]*)/.exec(url)?.[1] ?? "";

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "floor-ws",
  title: "hand-written floor on node:http + ws",
  order: 80,
  floor: true,
  host: "node",

  async start({ pingInterval }) {
    const { WebSocketServer } = await import("ws");

    /**
     * @param {ServerResponse} res
     * @param {string} body
     */
    function answer(res, body) {
      res.setHeader("content-type", "text/plain; charset=UTF-8");
      res.setHeader("content-length", Buffer.byteLength(body));
      res.end(body);
    }

    const text = { binary: false };
    /** @type {Floor<WebSocket, ServerResponse>} */
    const floor = new Floor({
      pingInterval,
      send: (ws, message) => ws.send(message, text),
      sendAll(ws, messages) {
        for (let i = 0; i < messages.length; i++) ws.send(messages[i], text);
      },
      answer,
      close: (ws) => ws.close(),
    });

    const httpServer = createServer((req, res) => {
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

    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
    httpServer.on("upgrade", (req, socket, head) => {
      server.handleUpgrade(req, socket, head, (ws) => {
        const known = floor.polling.get(idOf(req.url));
        const session = known ?? floor.open();
        session.socket = ws;
        floor.sessions.add(session);
        ws.on("message", (/** @type {Buffer} */ data, isBinary) => {
          if (isBinary) {
            ws.send(floor.onBinary(session));
            ws.send(data);
            return;
          }
          const reply = floor.onText(session, data.toString());
          if (reply !== "") ws.send(reply);
        });
        ws.on("close", () => floor.leave(session));
        if (known === undefined) ws.send(floor.handshake(session, []));
      });
    });

    return { port: await listen(httpServer), actions: floor.actions() };
  },
};
