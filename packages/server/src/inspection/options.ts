import type { IncomingMessage } from "node:http";

/** Who may open the inspector: whoever knows the name and the password, or whoever the function lets in. */
export type InspectorAuth =
  | { readonly username: string; readonly password: string }
  | ((request: IncomingMessage) => boolean | Promise<boolean>);

/** Options of {@link Server.inspect}. */
export interface InspectorOptions {
  /**
   * The path of the page. Nothing else may be served there.
   * @default "/_tidewire"
   */
  path?: string;
  /**
   * Who may open the page. A function is asked about every request of the page, and about the handshakes of its connection.
   * @default whoever opens it on this machine, as localhost and not through a proxy
   */
  auth?: InspectorAuth;
  /**
   * Whether the page only shows, and cannot emit, join, leave or disconnect. The server enforces it.
   * @default false
   */
  readonly?: boolean;
}

/** A page that {@link Server.inspect} serves. It ends with `io.close()`, and is there again when the server listens again. */
export interface Inspector {
  readonly path: string;
  /** How many pages are open. While there is none, nothing is collected. */
  readonly watchers: number;
  /**
   * Ends the page: its connections are closed, and its path is refused with 503.
   *
   * @example
   * const inspector = await io.inspect({ auth });
   * inspector.close();
   */
  close(): void;
}

/** What `@tidewire/inspector` exports. */
export interface InspectorModule {
  inspect(io: object, options: InspectorOptions): Inspector;
}
