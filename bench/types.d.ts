/** What a run is sized for: seconds, under eight minutes, or as long as it takes. */
export type Mode = "smoke" | "quick" | "full";

/** A function of a server that the load generator calls over IPC; its caller and itself must agree on the arguments. */
export type Action = (...args: never[]) => unknown;

export interface StartedServer {
  port: number;
  actions: Record<string, Action>;
}

/** The options of a Socket.IO server that workloads set. */
export interface ServerOptions {
  /** In ms; 25,000 by default. */
  pingInterval?: number;
  /** In bytes. Tidewire's alone. */
  maxBackpressure?: number;
  cleanupEmptyChildNamespaces?: boolean;
}

/** One server under test: the default export of a file in servers/. */
export interface Variant {
  name: string;
  title: string;
  /** Place in the tables and in each round. */
  order: number;
  /** Who must have answered the WebSocket handshake; a server that fell back to another host is refused. */
  host: "uws" | "node" | "other";
  /** Measures the packages of this repository, which therefore must be built. */
  built?: boolean;
  /** A folder of peers/ that is installed first. */
  peer?: string;
  /** The program that runs the server process; this Node by default. */
  command?: string;
  /** Arguments before the script, instead of the ones Node is given. */
  commandArgs?: string[];
  /** Is written by hand, without the API of Socket.IO. */
  floor?: boolean;
  /** Is measured only when it is asked for by name. */
  named?: boolean;
  /** Runs in the server process. Everything it needs is imported here, so that the file can be listed without it. */
  start(options: ServerOptions): Promise<StartedServer>;
}

/** One figure of a workload. */
export interface Metric {
  key: string;
  unit: string;
  /** What it is a figure of, when the workload has several: "io.to(room)". */
  title?: string;
  /**
   * What ours is to stay within: on uWebSockets.js as a ratio to the floor, on node:http to the official server; or as a
   * figure in its unit.
   */
  budget?: { uws: number; node: number; plain?: boolean } | undefined;
  /** Its ratios to other servers say nothing. */
  absolute?: boolean;
  /** What it is to stay within; more is marked in the table. */
  atMost?: number;
}

/** What the memory action of a server process answers, in bytes, after forced collections. */
export interface MemoryUse {
  rss: number;
  heap: number;
}

/** The server process as a workload sees it. */
export interface ServerHandle {
  readonly pid: number;
  readonly port: number;
  /** Calls an action and waits for its result. */
  call(action: string, ...args: unknown[]): Promise<unknown>;
  /** Calls an action and waits for nothing: cheapest for the server. */
  notify(action: string, ...args: unknown[]): void;
  /** Collects garbage in the server process, then reads its memory. */
  memory(): Promise<MemoryUse>;
  /** CPU time of the server process, user and system, in µs, while `work` runs. */
  cpuDuring(work: () => Promise<void>): Promise<number>;
  /** How late the event loop of the server was while `work` runs; undefined where the runtime does not tell. */
  loopDelayDuring(work: () => Promise<void>): Promise<LoopDelay | undefined>;
}

/** In ms. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

export interface WorkloadContext {
  server: ServerHandle;
  variant: Variant;
  /** The counts of the mode chosen. */
  size: Record<string, number>;
  /** Says something about this measurement beside its figures. */
  note: (text: string) => void;
}

/** One measurement: the default export of a file in workloads/ is one, or an array of them. */
export interface Workload {
  name: string;
  title: (size: Record<string, number>) => string;
  order: number;
  /** Runs only when it is asked for by name. */
  named?: boolean;
  /** Needs a server with the Socket.IO API, which the floors have not. */
  api?: boolean;
  metrics: Metric[];
  sizes: Record<Mode, Record<string, number>>;
  /** More arguments for a Node that runs the server. */
  nodeArgs?: string[];
  /** What the server is started with, instead of its defaults. */
  serverOptions?: ServerOptions;
  /** Runs in the load generator against a fresh server process; answers one figure per metric. */
  run(context: WorkloadContext): Promise<Record<string, number>>;
}

/** What became of one workload on one variant in one round. */
export interface Cell {
  round: number;
  workload: string;
  variant: string;
  /** Figures by metric key; absent when the cell failed. */
  figures?: Record<string, number>;
  error?: string;
  notes?: string[];
}

/** What the application uses of a server, whoever made it. */
export interface SocketIoServer {
  on(event: "connection", listener: (socket: SocketIoSocket) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  to(room: string): Receivers;
  of(name: RegExp): { on(event: "connection", listener: (socket: SocketIoSocket) => void): unknown };
  sockets: { sockets: Map<string, SocketIoSocket> };
  engine: { clientsCount?: number };
  /** The namespaces; internal, and the same in every server with this API. */
  _nsps: Map<string, unknown>;
}

export interface SocketIoSocket {
  id: string;
  on(
    event: string,
    listener: (this: SocketIoSocket, value: never, reply: (value: unknown) => void) => void,
  ): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  join(room: string): unknown;
  timeout(ms: number): { emit(event: string, ...args: unknown[]): unknown };
  to(room: string): Receivers;
}

/** Those a message goes to. */
export interface Receivers {
  to(room: string): Receivers;
  except(room: string): Receivers;
  readonly volatile: Receivers;
  emit(event: string, ...args: unknown[]): unknown;
}
