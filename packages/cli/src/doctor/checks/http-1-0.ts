import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Check } from "../check.ts";
import { note, ok } from "../finding.ts";
import { HTTP_1_1 } from "../fixes.ts";
import { explained, NoAnswer } from "../requests.ts";

/** Some proxies and health checks use HTTP/1.0, which uWebSockets.js does not speak. */
export const http10: Check = {
  name: "HTTP/1.0",
  needs: ["path"],
  async run(target) {
    const line = await firstLine(target.urlOf({}), target.options.timeout);
    if (!/^HTTP\/1\.\d 505/.test(line)) return ok(line);
    return note(line, "A proxy or a health check in front of this must use HTTP/1.1.", HTTP_1_1);
  },
};

function firstLine(url: URL, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const isSecure = url.protocol === "https:";
    const port = Number(url.port || (isSecure ? 443 : 80));
    const socket = isSecure ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port });
    let text = "";
    socket.write(`GET ${url.pathname}${url.search} HTTP/1.0\r\nHost: ${url.host}\r\n\r\n`);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n");
      if (end === -1) return;
      resolve(text.slice(0, end));
      socket.destroy();
    });
    socket.once("close", () => reject(new NoAnswer("the connection was closed without an answer", "closed")));
    socket.once("error", (error) => reject(explained(error, url)));
    socket.setTimeout(timeout, () => socket.destroy(new NoAnswer(`no answer within ${timeout / 1000} s`)));
  });
}
