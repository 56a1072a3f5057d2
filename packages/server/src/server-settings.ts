import { Clock } from "@tidewire/engine";
import { defaultParser } from "@tidewire/parser";
import type { Packet, Parser } from "@tidewire/parser";
import cors from "cors";
import type { Adapter } from "socket.io-adapter";
import { MemoryAdapter } from "./rooms/memory-adapter.ts";
import type { CorsMiddleware } from "./client-files/files.ts";
import { BroadcastingEmitter } from "./broadcasting-emitter.ts";
import { applyRecoveryDefaults, DEFAULT_CONNECT_TIMEOUT, DEFAULT_PATH } from "./options.ts";
import type { AdapterConstructor, ServerOptions } from "./options.ts";
import { RecoveryAdapter } from "./recovery/adapter.ts";
import type { EventsMap } from "./events/typed-events.ts";
import { UserCode } from "./events/user-code.ts";

/** The adapter that the options ask for. */
export function adapterOf(options: Partial<ServerOptions>): AdapterConstructor {
  return (
    options.adapter || ((options.connectionStateRecovery ? RecoveryAdapter : MemoryAdapter) as typeof Adapter)
  );
}

/** A server, as far as its options go: what the constructor makes of them, and the methods that read and set them. */
export abstract class ConfiguredServer<
  ListenEvents extends EventsMap,
  OwnEmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  EmitEvents extends EventsMap,
  SocketData,
> extends BroadcastingEmitter<ListenEvents, OwnEmitEvents, ReservedEvents, EmitEvents, SocketData> {
  abstract readonly _nsps: ReadonlyMap<string, { _initAdapter(): void }>;
  readonly opts: Partial<ServerOptions>;
  readonly _parser: Parser;
  readonly encoder: { encode(packet: Packet): unknown[] };
  /** @internal */
  readonly _userCode: UserCode = new UserCode();
  /** @internal Of the limit for joining a namespace: whatever engine has the connections. */
  readonly _clock: Clock = new Clock();
  /** in ms */
  _connectTimeout!: number;
  protected _path!: string;
  protected _serveClient!: boolean;
  protected _adapter!: AdapterConstructor;
  protected readonly _corsMiddleware: CorsMiddleware | undefined;

  /** The adapter is left to the subclass: it is set when there can be namespaces. */
  constructor(options: Partial<ServerOptions>) {
    super();
    applyRecoveryDefaults(options);
    this.opts = options;
    this.path(options.path || DEFAULT_PATH);
    this.connectTimeout(options.connectTimeout || DEFAULT_CONNECT_TIMEOUT);
    this.serveClient(options.serveClient !== false);
    this._parser = (options.parser as Parser | undefined) || defaultParser;
    this.encoder = new this._parser.Encoder();
    if (options.cors) {
      // The package's types tell its two forms of options apart, and do not take either.
      this._corsMiddleware = cors(options.cors as cors.CorsOptions) as CorsMiddleware;
    }
  }

  /** The options, live. */
  get _opts(): Partial<ServerOptions> {
    return this.opts;
  }

  /** Options given later, with those of the server, which win, as they always have. */
  protected mergedWith(opts: Partial<ServerOptions>): Partial<ServerOptions> {
    Object.assign(opts, this.opts);
    opts.path ||= this._path;
    return opts;
  }

  /**
   * Whether the files of the client are served; read or set before the server is attached.
   *
   * @example
   * io.serveClient(false).attach(3000);
   */
  serveClient(v: boolean): this;
  serveClient(): boolean;
  serveClient(v?: boolean): this | boolean {
    if (v === undefined) return this._serveClient;
    this._serveClient = v;
    return this;
  }

  /**
   * The path of all requests, without a slash at its end; read or set before the server is attached.
   *
   * @example
   * io.path("/my-path").attach(3000);
   */
  path(v: string): this;
  path(): string;
  path(v?: string): this | string {
    if (v === undefined) return this._path;
    this._path = v.replace(/\/$/, "");
    return this;
  }

  /**
   * How long a client may be connected without joining a namespace, in ms; read or set.
   *
   * @example
   * io.connectTimeout(10_000);
   */
  connectTimeout(v: number): this;
  connectTimeout(): number;
  connectTimeout(v?: number): this | number {
    if (v === undefined) return this._connectTimeout;
    this._connectTimeout = v;
    return this;
  }

  /**
   * What makes the adapter of each namespace; setting it gives every namespace a new one.
   *
   * @example
   * io.adapter(createAdapter(pubClient, subClient));
   */
  adapter(): AdapterConstructor | undefined;
  adapter(v: AdapterConstructor): this;
  adapter(v?: AdapterConstructor): AdapterConstructor | undefined | this {
    if (v === undefined) return this._adapter;
    this._adapter = v;
    for (const nsp of this._nsps.values()) {
      nsp._initAdapter();
    }
    return this;
  }

  /** Makes the adapter of a namespace. */
  _createAdapter(nsp: object): Adapter {
    const make = this._adapter;
    const isArrowFunction = make.prototype === undefined;
    return isArrowFunction
      ? (make as (nsp: object) => Adapter)(nsp)
      : new (make as new (nsp: object) => Adapter)(nsp);
  }
}
