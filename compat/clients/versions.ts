// The published clients, and how their versions differ.
import type { ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import { load, versionOf } from "../support/installed.ts";
import type { Client, Manager, Refusal } from "./client.ts";

interface ClientModule {
  (url: string, options: object): Client;
  Manager: new (url: string, options: object) => Manager;
}

/** An ability that older versions lack. */
export type Ability =
  | "catch-all"
  | "volatile"
  | "typed arrays"
  | "timeouts"
  | "promises"
  | "recovery"
  | "retries";

export interface ClientVersion {
  readonly version: string;
  readonly module: ClientModule;
  /** The version of the Engine.IO protocol. */
  readonly protocol: 3 | 4;
  /** The options of a server that accepts this client. */
  readonly server: Partial<ServerOptions>;
  /** The client option for credentials. */
  readonly credentials: "auth" | "query";
  /** Where the server finds them. */
  readonly credentialsOf: (socket: Socket) => Record<string, unknown>;
  /** The event of a client that a namespace refuses. */
  readonly refused: "connect_error" | "error";
  /** Reads the argument of that event. */
  readonly refusal: (given: unknown) => Refusal;
  readonly abilities: ReadonlySet<Ability>;
  /** The published MessagePack parser for this version. */
  readonly msgpack: Msgpack;
}

interface Msgpack {
  readonly version: string;
  readonly parser: unknown;
  /** Why it can only exchange text events in the main namespace. */
  readonly plainOnly?: string;
}

const msgpack: Msgpack = {
  version: versionOf("socket.io-msgpack-parser"),
  parser: load("socket.io-msgpack-parser"),
};

/** Since version 3, the error is an object with the server's message and data. */
const errorRefusal = {
  refused: "connect_error",
  refusal: (given: unknown): Refusal => {
    const { message, data } = given as { message: string; data?: unknown };
    return { message, data };
  },
} as const;

/** Version 2 gets the data of the error or, without data, its message; for an unknown namespace, it gets an object. */
const bareRefusal = {
  refused: "error",
  refusal: (given: unknown): Refusal =>
    typeof given === "string" ? { message: given } : { ...(given as { message?: string }), data: given },
} as const;

const current = {
  protocol: 4,
  server: {},
  credentials: "auth",
  credentialsOf: (socket: Socket) => socket.handshake.auth,
  ...errorRefusal,
  msgpack,
} as const;

export const versions: readonly ClientVersion[] = [
  {
    ...installed("socket.io-client-v2"),
    protocol: 3,
    server: { allowEIO3: true },
    credentials: "query",
    // the query of the URL for the main namespace, that of the CONNECT packet for another one
    credentialsOf: ({ nsp, handshake }) => (nsp.name === "/" ? handshake.query : handshake.auth),
    ...bareRefusal,
    abilities: new Set(),
    msgpack: {
      version: versionOf("socket.io-msgpack-parser-v2"),
      parser: load("socket.io-msgpack-parser-v2"),
      plainOnly:
        "version 2 of the parser encodes joins, leaves and binary data in a format that version 3, which the server uses, does not read",
    },
  },
  {
    ...installed("socket.io-client-v3"),
    ...current,
    abilities: new Set(["catch-all", "volatile", "typed arrays"]),
  },
  {
    ...installed("socket.io-client-v4-0"),
    ...current,
    abilities: new Set(["catch-all", "volatile", "typed arrays"]),
  },
  {
    ...installed("socket.io-client"),
    ...current,
    abilities: new Set([
      "catch-all",
      "volatile",
      "typed arrays",
      "timeouts",
      "promises",
      "recovery",
      "retries",
    ]),
  },
];

function installed(name: string): { version: string; module: ClientModule } {
  return { version: versionOf(name), module: load<ClientModule>(name) };
}

/** The parser of a server for clients with MessagePack. */
export const serverParser: unknown = msgpack.parser;
