import type { DoctorOptions } from "../commands/doctor-options.ts";
import type { Place } from "./finding.ts";
import { refusalIn, send } from "./requests.ts";
import type { Answer, Request } from "./requests.ts";
import { Wire } from "./websocket.ts";

/** The packet with which a server opens a session. Times are in ms. */
export interface Handshake {
  readonly sid: string;
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  /** In bytes; servers of protocol 3 do not say. */
  readonly maxPayload?: number;
}

export type Query = Readonly<Record<string, string>>;

/** The server that is examined, and what the checks have learnt about it. */
export class Target {
  readonly options: DoctorOptions;
  /** The first handshake that succeeded. */
  handshake: Handshake | undefined;
  /** What has set cookies, by their name; sent back as a browser does. */
  readonly cookies: Map<string, string> = new Map();
  /** The lines `Set-Cookie` as they came. */
  readonly cookieLines: string[] = [];
  /** The proxy in front, if it names itself. */
  proxy: Place | undefined;

  constructor(options: DoctorOptions) {
    this.options = options;
  }

  urlOf(query: Query): URL {
    const url = new URL(this.options.path, this.options.url);
    url.search = new URLSearchParams({ ...query, t: uniqueId() }).toString();
    return url;
  }

  async request(query: Query, request: Partial<Request> = {}): Promise<Answer> {
    const { timeout } = this.options;
    const headers = { ...this.#headers(), ...request.headers };
    return send(this.urlOf(query), { timeout, ...request, headers });
  }

  openWebSocket(query: Query, headers: Readonly<Record<string, string>> = {}): Promise<Wire> {
    const url = this.urlOf({ EIO: "4", transport: "websocket", ...query });
    return Wire.open(url, { ...this.#headers(), ...headers }, this.options.timeout);
  }

  /** Remembers the cookies of an answer, and the name of the proxy. */
  learn({ headers }: Answer): void {
    for (const line of headers["set-cookie"] ?? []) {
      const [pair = ""] = line.split(";");
      const equals = pair.indexOf("=");
      const name = pair.slice(0, equals).trim();
      if (!this.cookies.has(name)) this.cookieLines.push(line);
      this.cookies.set(name, pair.slice(equals + 1).trim());
    }
    const server = String(headers.server ?? "");
    if (/nginx|openresty/i.test(server)) this.proxy = "nginx";
    else if (/apache/i.test(server)) this.proxy = "Apache";
  }

  #headers(): Record<string, string> {
    const own = this.options.headers;
    if (this.cookies.size === 0) return { ...own };
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    return { ...own, cookie: [own["cookie"], ...cookies].filter(Boolean).join("; ") };
  }
}

let lastId = 0;

/** Caches must not answer. */
function uniqueId(): string {
  return `${Date.now().toString(36)}.${(lastId++).toString(36)}`;
}

/** The handshake in an answer over long-polling or in a first message; undefined if it is none. */
export function handshakeIn(text: string): Handshake | undefined {
  if (!text.startsWith("0{")) return undefined;
  try {
    return JSON.parse(text.slice(1)) as Handshake;
  } catch {
    return undefined;
  }
}

/** A session over long-polling. It joins no namespace, so the application does not see a connection. */
export class PollingSession {
  readonly handshake: Handshake;
  readonly #target: Target;

  private constructor(target: Target, handshake: Handshake) {
    this.#target = target;
    this.handshake = handshake;
  }

  /** @returns the answer if it opens no session */
  static async open(target: Target): Promise<PollingSession | Answer> {
    const answer = await target.request({ EIO: "4", transport: "polling" });
    const session = PollingSession.of(target, answer);
    if (session === undefined) return answer;
    target.learn(answer);
    return session;
  }

  /** The session that an answer opens, if it does. */
  static of(target: Target, answer: Answer): PollingSession | undefined {
    const handshake = answer.status === 200 ? handshakeIn(answer.body) : undefined;
    return handshake === undefined ? undefined : new PollingSession(target, handshake);
  }

  get query(): Query {
    return { EIO: "4", transport: "polling", sid: this.handshake.sid };
  }

  poll(timeout?: number): Promise<Answer> {
    return this.#target.request(this.query, timeout === undefined ? {} : { timeout });
  }

  /** @param headers - in place of the usual ones */
  post(body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const type = { "content-type": "text/plain;charset=UTF-8" };
    return this.#target.request(this.query, { method: "POST", body, headers: { ...type, ...headers } });
  }

  /** Ends the session on the server, if it still exists. */
  async end(): Promise<void> {
    await this.post("1").catch(() => undefined);
  }
}

/** Whether an answer means that another server has the session. */
export function isUnknownSession(answer: Answer): boolean {
  return answer.status === 400 && refusalIn(answer)?.code === 1;
}
