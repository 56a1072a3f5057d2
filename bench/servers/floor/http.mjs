// Long-polling of the floors on node:http.
import { createServer } from "node:http";

/** @typedef {import("node:http").ServerResponse} ServerResponse */

/** @param {string | undefined} url */
export const idOf = (url = "") => /[?&]sid=([^&]*)/.exec(url)?.[1] ?? "";

/**
 * @param {ServerResponse} res
 * @param {string} body
 */
export function answer(res, body) {
  res.setHeader("content-type", "text/plain; charset=UTF-8");
  res.setHeader("content-length", Buffer.byteLength(body));
  res.end(body);
}

/**
 * @template S
 * @param {import("./floor.mjs").Floor<S, ServerResponse>} floor
 * @returns {import("node:http").Server}
 */
export function createHttpServer(floor) {
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
