// The floor on uWebSockets.js: a server that does only what the workloads need.
import { Floor } from "../harness/floor.mjs";
import { listenUws } from "../harness/listen.mjs";

/**
 * @param {ServerOptions} options
 * @param publishes whether broadcasts use `publish()`
 */
async function start({ pingInterval }, publishes) {
  const { App } = await import("uWebSockets.js");
  const decoder = new TextDecoder();
  const app = App();

  function answer(res, body) {
    res.cork(() => void res.writeHeader("content-type", "text/plain; charset=UTF-8").end(body));
  }

  const topics = {
    subscribe: (ws, topic) => void ws.subscribe(topic),
    // A socket's own `publish` leaves it out.
    publish: (topic, message, except = app) => void except.publish(topic, message),
  };

  const floor = new Floor({
    pingInterval,
    send: (ws, message) => void ws.send(message),
    sendAll(ws, messages) {
      ws.cork(() => {
        for (let i = 0; i < messages.length; i++) ws.send(messages[i]);
      });
    },
    answer,
    close: (ws) => ws.close(),
    topics: publishes ? topics : undefined,
  });

  app.ws("/socket.io/", {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxPayloadLength: 1e6,
    maxBackpressure: 64 * 1024 * 1024,

    upgrade(res, req, context) {
      const session = floor.polling.get(req.getQuery("sid") ?? "") ?? floor.open();
      res.upgrade(session, req.getHeader("sec-websocket-key"), "", "", context);
    },

    open(ws) {
      const session = ws.getUserData();
      floor.join(session, ws);
      if (!floor.polling.has(session.id)) ws.send(floor.handshake(session, []));
    },

    message(ws, data, isBinary) {
      const session = ws.getUserData();
      if (isBinary) {
        ws.send(floor.onBinary(session));
        ws.send(data, true);
        return;
      }
      const reply = floor.onText(session, decoder.decode(data));
      if (reply !== "") ws.send(reply);
    },

    close(ws) {
      floor.leave(ws.getUserData());
    },
  });

  app.get("/socket.io/", (res, req) => {
    const session = floor.polling.get(req.getQuery("sid") ?? "");
    if (session === undefined) {
      answer(res, floor.handshake(floor.openPolling(), ["websocket"]));
      return;
    }
    const queue = floor.onGet(session, res);
    if (queue !== "") answer(res, queue);
    else
      res.onAborted(() => {
        session.poll = undefined;
      });
  });

  app.post("/socket.io/", (res, req) => {
    const session = floor.polling.get(req.getQuery("sid") ?? "");
    let body = "";
    res.onAborted(() => {});
    res.onData((chunk, isLast) => {
      body += decoder.decode(chunk);
      if (!isLast || session === undefined) return;
      floor.onPost(session, body);
      answer(res, "ok");
    });
  });

  return { port: await listenUws(app), actions: floor.actions() };
}

/** @type {Variant[]} */
export default [
  {
    name: "floor-uws",
    short: "floor",
    title: "hand-written floor on uWebSockets.js",
    floor: true,
    host: "uws",
    start: (options) => start(options, false),
  },
  {
    name: "floor-publish",
    short: "`publish()`",
    title: "the same floor, with `publish()`",
    floor: true,
    fanOut: true,
    host: "uws",
    start: (options) => start(options, true),
  },
];
