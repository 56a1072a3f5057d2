import { request as requestHttp } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { request as requestHttps } from "node:https";

/** An answer over HTTP, read to its end. */
export interface Answer {
  readonly status: number;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** There was no answer. The message says why. */
export class NoAnswer extends Error {
  override readonly name: string = "NoAnswer";
  /** The server, or a proxy, closed the connection without an answer. */
  readonly isClosed: boolean;
  /** It may still come. */
  readonly isLate: boolean;

  constructor(message: string, how?: "closed" | "late") {
    super(message);
    this.isClosed = how === "closed";
    this.isLate = how === "late";
  }
}

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long the whole answer may take, in ms. */
  readonly timeout: number;
}

/**
 * Sends a request over a connection of its own, as a load balancer may see it. Certificates are not verified here; a check of its
 * own does that.
 *
 * @throws NoAnswer
 */
export function send(url: URL, { method = "GET", headers = {}, body, timeout }: Request): Promise<Answer> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const options = {
      method,
      headers: { ...headers, ...length },
      agent: false as const,
      rejectUnauthorized: false,
    };
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => fail(error));
      response.on("end", () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          httpVersion: response.httpVersion,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    const timer = setTimeout(() => {
      fail(new NoAnswer(`no answer within ${timeout / 1000} s`, "late"));
      sent.destroy();
    }, timeout);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(explained(error, url));
    };
    sent.on("error", fail);
    sent.end(body);
  });
}

const REASONS: Readonly<Record<string, (url: URL) => string>> = {
  ECONNREFUSED: ({ host }) => `nothing listens on ${host}`,
  ENOTFOUND: ({ hostname }) => `there is no host ${hostname}`,
  EAI_AGAIN: ({ hostname }) => `the name ${hostname} cannot be resolved`,
  EHOSTUNREACH: ({ host }) => `there is no route to ${host}`,
  ENETUNREACH: ({ host }) => `there is no route to ${host}`,
  ETIMEDOUT: ({ host }) => `${host} does not accept connections in time`,
  EPROTO: ({ host }) => `${host} does not speak TLS`,
};

export function explained(error: Error, url: URL): NoAnswer {
  if (error instanceof NoAnswer) return error;
  // A name with several addresses fails with one error for each of them.
  const one = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const { code = "" } = one as NodeJS.ErrnoException;
  if (code === "ECONNRESET" || code === "EPIPE" || /hang up|aborted/.test(one.message))
    return new NoAnswer("the connection was closed without an answer", "closed");
  if (/^(EPROTO|ERR_SSL)/.test(code)) return new NoAnswer(`${url.host} does not speak TLS`);
  return new NoAnswer(REASONS[code]?.(url) ?? one.message);
}

/** The code and the message of a refusal by the engine; undefined if something else has answered. */
export function refusalIn({
  body,
}: {
  readonly body: string;
}): { code: number; message: string } | undefined {
  // Over WebSocket the engine sends the message alone.
  const codes = ["Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request"];
  if (codes.includes(body)) return { code: codes.indexOf(body), message: body };
  try {
    const { code, message } = JSON.parse(body) as { code?: unknown; message?: unknown };
    if (typeof code === "number" && typeof message === "string") return { code, message };
  } catch {
    // A page of a proxy or of the application.
  }
  return undefined;
}

/** For the report: `400 Bad request`, `404 text/html`. */
export function summary(answer: Answer): string {
  const refusal = refusalIn(answer);
  const [type = ""] = (answer.headers["content-type"] ?? "").split(";");
  return `${answer.status} ${refusal?.message ?? type}`.trim();
}
