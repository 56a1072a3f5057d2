// Sessions over long-polling: how they begin, and how they become WebSockets.
import { Connection } from "./connection.mjs";
import { clientFrame } from "./frames.mjs";
import { HttpConnection, request } from "./http.mjs";

const PATH = "/socket.io/?EIO=4&transport=polling";
const HANDSHAKE = request(PATH);
const PROBE = clientFrame("2probe");
const UPGRADE = clientFrame("5");

export const pathOf = (sid) => `${PATH}&sid=${sid}`;

/**
 * Opens a session and its root namespace.
 *
 * @param onOpen `head` is that of the first response
 */
export function openSession(http, onOpen, onFailure) {
  http.send(HANDSHAKE, (handshake, head) => {
    const sid = /"sid":"([^"]+)"/.exec(handshake)?.[1];
    if (!handshake.startsWith("0{") || sid === undefined) {
      onFailure(new Error(`the handshake was answered with ${handshake}`));
      return;
    }
    http.send(request(pathOf(sid), "40"), (ok) => {
      if (ok !== "ok") onFailure(new Error(`a POST was answered with ${ok}`));
      http.send(request(pathOf(sid)), (connected) => {
        if (connected.startsWith("40{")) onOpen(sid, head);
        else onFailure(new Error(`the namespace was answered with ${connected}`));
      });
    });
  });
}

/** A connection that begins with long-polling, and is open when its upgrade is done. */
export function upgrading(port, handlers) {
  let connection;
  const http = new HttpConnection(port, handlers.onFailure);

  function upgrade(sid) {
    let answered = false;
    let probed = false;
    const opened = () => {
      connection?.write(UPGRADE);
      http.destroy();
    };
    const socket = new Connection(port, handlers, {
      query: `&sid=${sid}`,
      first: PROBE,
      onText(_, text) {
        if (text !== "3probe") return undefined;
        probed = true;
        if (answered) opened();
        return answered;
      },
    });
    connection = socket;
    http.send(request(pathOf(sid)), (body) => {
      if (body !== "6") handlers.onFailure(new Error(`at the probe the poll was answered with ${body}`));
      answered = true;
      if (!probed) return;
      opened();
      socket.opened();
    });
  }

  openSession(http, upgrade, handlers.onFailure);
  return {
    destroy() {
      http.destroy();
      connection?.destroy();
    },
  };
}
