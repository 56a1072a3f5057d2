// The floor of node:http: the least a program can do on it and `ws`.
import { Floor } from "./floor/floor.mjs";
import { answer, createHttpServer, idOf } from "./floor/http.mjs";
import { listen } from "../harness/listen-node.mjs";

/** @typedef {import("ws").WebSocket} WebSocket */
/** @typedef {import("node:http").ServerResponse} ServerResponse */

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "floor-ws",
  title: "hand-written floor on node:http + ws",
  order: 80,
  floor: true,
  host: "node",

  async start({ pingInterval }) {
    const { WebSocketServer } = await import("ws");

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

    const httpServer = createHttpServer(floor);
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
