// The steps of a scenario on one server. The recorder writes down each step and its results.
import type { ConnectionError, Engine, Session } from "../../test/support/engine/types.ts";
import { OPCODE, type Frame } from "../../test/support/wire/frames.ts";
import { NetworkClient } from "../../test/support/wire/network-client.ts";
import type { RawWebSocket } from "../../test/support/wire/raw-websocket.ts";
import { UpgradeRefused, type WireRequest, type WireResponse } from "../../test/support/wire/client.ts";
import { Recorder, show, type Pattern, type Transcript } from "./recorder.ts";
import type { Target } from "./targets.ts";

export interface HttpRequest extends WireRequest {
  /** The lane of request and response; requests of one lane must not overlap. */
  lane?: string;
}

/** Headers that differ in each run. */
const MASKED_HEADERS = new Set(["date", "sec-websocket-accept"]);

const FRAME_NAMES = new Map<number, string>(Object.entries(OPCODE).map(([name, code]) => [code, name]));

export abstract class Run {
  readonly target: Target;
  readonly port: number;
  readonly recorder: Recorder = new Recorder();
  readonly #http: NetworkClient;
  readonly #closers: (() => unknown)[] = [];
  /** The path of the engine, with a leading and a trailing slash. */
  readonly #path: string;

  constructor(target: Target, port: number, path: string) {
    this.target = target;
    this.port = port;
    this.#path = path;
    this.#http = new NetworkClient(port);
    this.recorder.mask(new RegExp(`\\b(localhost|127\\.0\\.0\\.1):${port}\\b`, "g"), "$1:<port>");
    this.afterwards(() => this.#http.close());
  }

  note(lane: string, ...words: unknown[]): void {
    const text = words.map((word) => (typeof word === "string" ? word : show(word))).join(" ");
    this.recorder.note(lane, text);
  }

  saw(lane: string, pattern: Pattern, times?: number): Promise<void> {
    return this.recorder.saw(lane, pattern, times);
  }

  quiet(): Promise<void> {
    return this.recorder.quiet();
  }

  /** Ends the recording, before the next ping for example. */
  stop(): void {
    this.recorder.close();
  }

  /** Runs `close` after the scenario, the last one first. */
  afterwards(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** The URL of an engine request. `query` follows `EIO=4&`, unless it has its own version or is a path. */
  url(query: string): string {
    if (query.startsWith("/")) return query;
    return `${this.#path}?${query.includes("EIO=") ? query : `EIO=4&${query}`}`;
  }

  /** Sends a request, and records the response. */
  async http(method: string, query: string, request: HttpRequest = {}): Promise<WireResponse> {
    const { lane = "http", ...rest } = request;
    const url = this.url(query);
    this.note(lane, `${method} ${url}`);
    const response = await this.#http.request(method, url, rest);
    this.#noteResponse(lane, response);
    return response;
  }

  get(query: string, request?: HttpRequest): Promise<WireResponse> {
    return this.http("GET", query, request);
  }

  post(query: string, body: string | Buffer, request: HttpRequest = {}): Promise<WireResponse> {
    const type = typeof body === "string" ? "text/plain;charset=UTF-8" : "application/octet-stream";
    return this.http("POST", query, {
      ...request,
      body,
      headers: { "content-type": type, ...request.headers },
    });
  }

  /** Opens a WebSocket, and records its frames in the lane; if it is refused, records the response and returns undefined. */
  async ws(
    lane: string,
    query: string,
    request: WireRequest = {},
    http: NetworkClient = this.#http,
  ): Promise<RawWebSocket | undefined> {
    this.note(lane, `WebSocket ${this.url(query)}`);
    try {
      const socket = await http.websocket(this.url(query), request);
      this.#noteHeaders(lane, socket.headers);
      socket.watch((frame) => this.note(lane, frameLine(frame)));
      void socket.closed.then(() => this.note(lane, "end"));
      return socket;
    } catch (error) {
      if (error instanceof UpgradeRefused) this.#noteResponse(lane, unchunked(error.response));
      else this.note(lane, `failed: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** The same, but throws if the WebSocket is refused. */
  async open(lane: string, query: string, request?: WireRequest): Promise<RawWebSocket> {
    const socket = await this.ws(lane, query, request);
    if (!socket) throw new Error(`${lane}: the WebSocket was refused`);
    return socket;
  }

  /** Records the events of the engine: sessions, refusals, and the close of each session. */
  protected watchEngine(engine: Engine, watchSession: (session: Session, name: string) => void): void {
    engine.on("connection", (session: Session) => {
      this.recorder.learn("sid", session.id);
      const { id, protocol, transport } = session;
      this.note("engine", `connection ${id} protocol ${protocol} by ${transport.name}`);
      session.on("close", (reason: string, description: unknown) => {
        this.note("engine", `${id} close: ${reason}`);
        this.note("engine", `${id} description: ${describe(description)}`);
      });
      watchSession(session, id);
    });
    engine.on("connection_error", ({ code, message, context = {} }: ConnectionError) => {
      const entries = Object.entries(context).map(([name, value]) => [name, plain(value)] as const);
      this.note("engine", `connection_error ${code} ${message}`, Object.fromEntries(entries));
    });
  }

  /** Ends the recording, closes everything, and returns the transcript. */
  async finish(): Promise<Transcript> {
    await this.quiet();
    const transcript = this.recorder.close();
    await this.close();
    return transcript;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }

  #noteResponse(lane: string, response: WireResponse): void {
    const { status, headers, body, raw } = response;
    this.note(lane, `${status}`);
    this.#noteHeaders(lane, headers);
    const isText = raw.equals(Buffer.from(body));
    const isLong = raw.length > 2000;
    this.note(
      lane,
      isLong ? `body of ${raw.length} bytes` : `body ${isText ? JSON.stringify(body) : show(raw)}`,
    );
  }

  #noteHeaders(lane: string, headers: WireResponse["headers"]): void {
    for (const name of Object.keys(headers).toSorted()) {
      const value = headers[name];
      const values = Array.isArray(value) ? value : [value];
      for (const each of values) this.note(lane, `${name}: ${MASKED_HEADERS.has(name) ? "…" : each}`);
    }
  }
}

/** Decodes a chunked body: the raw client does not, for a refused upgrade. */
function unchunked(response: WireResponse): WireResponse {
  if (response.headers["transfer-encoding"] !== "chunked") return response;
  const body = response.body.replaceAll(/(?:^|\r\n)[\da-f]+\r\n/g, "").replace(/\r\n$/, "");
  return { ...response, body, raw: Buffer.from(body) };
}

/** The message of an error, or the value. */
function plain(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

/** The text of a close description, without stacks and class names. */
export function describe(description: unknown): string {
  if (description instanceof Error) return `error ${description.message}`;
  return show(description);
}

function frameLine({ opcode, payload, fin, rsv }: Frame): string {
  const marks = `${fin ? "" : " unfinished"}${rsv === 0 ? "" : ` rsv ${rsv}`}`;
  const name = `${FRAME_NAMES.get(opcode) ?? opcode}${marks}`;
  if (opcode === OPCODE.close) {
    return payload.length < 2
      ? "close"
      : `close ${payload.readUInt16BE(0)} ${show(payload.toString("utf8", 2))}`;
  }
  if (rsv !== 0) return name;
  if (opcode !== OPCODE.text) return payload.length === 0 ? name : `${name} ${show(payload)}`;
  const text = payload.toString();
  return `${name} ${text.length > 2000 ? `of ${payload.length} bytes` : JSON.stringify(text)}`;
}
