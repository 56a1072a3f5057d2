// The floor: what a server on uWebSockets.js costs that speaks just enough of the protocol for the workloads,
// parses and serialises every event as JSON, keeps one small object per connection, and does nothing else.
// One root namespace, WebSocket only, no check of anything.
import { payload } from "../payload.mjs";
import { listen } from "../listen-uws.mjs";

const PING_INTERVAL = 25_000;
const PING_TIMEOUT = 20_000;

const DIGIT_0 = 48;
const DIGIT_9 = 57;
const PONG = 51;
const MESSAGE = 52;
const CONNECT = 48;
const EVENT = 50;

/**
 * @typedef {object} Connection
 * @property {string} id
 * @property {number} pingAt when the next ping is due, in ms
 * @property {boolean} answered whether the last ping was
 */

/**
 * @param {import("uWebSockets.js").WebSocket<Connection>} ws
 * @param {string} text
 */
function onEvent(ws, text) {
  let at = 2;
  let code = text.charCodeAt(at);
  while (code >= DIGIT_0 && code <= DIGIT_9) code = text.charCodeAt(++at);
  const args = JSON.parse(text.slice(at));
  if (args[0] === "echo") ws.send("42" + JSON.stringify(["echo", args[1]]));
  else if (args[0] === "ask") ws.send("43" + text.slice(2, at) + JSON.stringify([args[1]]));
}

/** @type {import("../types.d.ts").Variant} */
export default {
  name: "floor-uws",
  title: "hand-written floor on uWebSockets.js",
  order: 50,
  host: "uws",

  async start() {
    const { App } = await import("uWebSockets.js");
    /** @type {Set<import("uWebSockets.js").WebSocket<Connection>>} */
    const sockets = new Set();
    const decoder = new TextDecoder();
    let ids = 0;
    const nextId = () => String(++ids).padStart(20, "0");

    /** @type {Buffer[]} */
    let outbox = [];

    function flush() {
      const messages = outbox;
      outbox = [];
      for (const ws of sockets) {
        ws.cork(() => {
          for (let i = 0; i < messages.length; i++) ws.send(messages[i]);
        });
      }
    }

    /**
     * @param {string} event
     * @param {unknown} value
     */
    function emitToAll(event, value) {
      if (outbox.length === 0) setImmediate(flush);
      outbox.push(Buffer.from("42" + JSON.stringify([event, value])));
    }

    const app = App().ws("/socket.io/", {
      idleTimeout: 0,
      sendPingsAutomatically: false,
      maxPayloadLength: 1e6,
      maxBackpressure: 1024 * 1024,

      upgrade(res, req, context) {
        res.upgrade(
          { id: nextId(), pingAt: Date.now() + PING_INTERVAL, answered: true },
          req.getHeader("sec-websocket-key"),
          "",
          "",
          context,
        );
      },

      open(ws) {
        sockets.add(ws);
        const handshake = {
          sid: ws.getUserData().id,
          upgrades: [],
          pingInterval: PING_INTERVAL,
          pingTimeout: PING_TIMEOUT,
          maxPayload: 1e6,
        };
        ws.send("0" + JSON.stringify(handshake));
      },

      message(ws, data) {
        const text = decoder.decode(data);
        const type = text.charCodeAt(0);
        if (type === MESSAGE) {
          const packet = text.charCodeAt(1);
          if (packet === EVENT) onEvent(ws, text);
          else if (packet === CONNECT) ws.send("40" + JSON.stringify({ sid: nextId() }));
        } else if (type === PONG) {
          ws.getUserData().answered = true;
        }
      },

      close(ws) {
        sockets.delete(ws);
      },
    });

    setInterval(() => {
      const now = Date.now();
      for (const ws of sockets) {
        const connection = ws.getUserData();
        if (now < connection.pingAt) continue;
        if (!connection.answered) {
          ws.close();
          continue;
        }
        connection.answered = false;
        connection.pingAt = now + PING_INTERVAL;
        ws.send("2");
      }
    }, 1000);

    return {
      port: await listen(app),
      actions: {
        news(/** @type {number} */ from, /** @type {number} */ count) {
          for (let n = from; n < from + count; n++) emitToAll("news", payload(n));
        },
      },
    };
  },
};
