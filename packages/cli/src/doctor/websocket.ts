import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { explained, NoAnswer } from "./requests.ts";
import type { Answer } from "./requests.ts";

/** The server, or a proxy, answered the handshake with an ordinary response. */
export class Refused extends Error {
  override readonly name: string = "Refused";
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`${answer.status}`);
    this.answer = answer;
  }
}

/** A WebSocket whose messages are read one after the other. */
export class Wire {
  readonly #socket: WebSocket;
  readonly #messages: string[] = [];
  #waiting: { resolve: (message: string) => void; reject: (error: Error) => void } | undefined;
  #end: NoAnswer | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const message = data.toString();
      if (this.#waiting === undefined) this.#messages.push(message);
      else this.#waiting.resolve(message);
    });
    socket.on("close", (code: number) => {
      this.#end = new NoAnswer(`the connection was closed (${code})`, "closed");
      this.#waiting?.reject(this.#end);
    });
  }

  /** @throws Refused or NoAnswer */
  static async open(url: URL, headers: Readonly<Record<string, string>>, timeout: number): Promise<Wire> {
    const target = new URL(url);
    target.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(target, { headers, handshakeTimeout: timeout, rejectUnauthorized: false });
    const wire = new Wire(socket);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("open", resolve);
        socket.once("unexpected-response", (_request: unknown, response: IncomingMessage) => {
          void readAnswer(response).then((answer) => reject(new Refused(answer)));
        });
        socket.on("error", (error) => reject(explained(error, url)));
      });
      return wire;
    } catch (error) {
      socket.terminate();
      if (error instanceof NoAnswer && /handshake has timed out/.test(error.message))
        throw new NoAnswer(`no answer within ${timeout / 1000} s`);
      throw error;
    }
  }

  send(message: string): void {
    this.#socket.send(message);
  }

  /** @throws NoAnswer if the connection ends, or if nothing comes for so many ms */
  next(timeout: number): Promise<string> {
    const first = this.#messages.shift();
    if (first !== undefined) return Promise.resolve(first);
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new NoAnswer(`no message within ${timeout / 1000} s`)), timeout);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        then();
      };
      this.#waiting = {
        resolve: (message) => settle(() => resolve(message)),
        reject: (error) => settle(() => reject(error)),
      };
    });
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, "close");
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), 1000);
    await closed;
    clearTimeout(timer);
  }
}

/** How much of the body of a refusal is read, in bytes. */
const MOST_OF_BODY = 64 * 1024;

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MOST_OF_BODY) break;
    }
  } catch {
    // The status is known; the rest of the body is not worth an error.
  }
  const { statusCode = 0, httpVersion, headers } = response;
  return { status: statusCode, httpVersion, headers, body: Buffer.concat(chunks).toString() };
}
