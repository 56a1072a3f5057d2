import { readHeaders, readNumber, readUrl } from "../arguments.ts";
import { UsageError } from "../usage-error.ts";

export type TransportName = "polling" | "websocket";

/** How a command connects to a server. */
export interface ClientOptions {
  /** Its path is the namespace, as with the official client. */
  readonly url: URL;
  readonly path: string;
  readonly auth: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly transports: readonly TransportName[];
  /** How long a connection, and an acknowledgement, may take, in ms. */
  readonly timeout: number;
}

/** The options of all commands that connect to a server. */
export const clientArguments = {
  path: { type: "string", default: "/socket.io/" },
  auth: { type: "string" },
  header: { type: "string", multiple: true, short: "H" },
  transports: { type: "string", default: "polling,websocket" },
  timeout: { type: "string", default: "10" },
} as const;

export const clientHelp = `      --path <path>      the path of the server (default: /socket.io/)
      --auth <json>      the credentials, such as '{"token":"x"}'
  -H, --header <header>  a header for all requests, such as "Authorization: Bearer x"; may be repeated
      --transports <t>   polling, websocket or polling,websocket (default: polling,websocket)`;

interface Given {
  readonly path: string;
  readonly auth?: string | undefined;
  readonly header?: readonly string[] | undefined;
  readonly transports: string;
  readonly timeout: string;
}

/** @throws UsageError */
export function readClientOptions(url: string | undefined, given: Given, example: string): ClientOptions {
  return {
    url: readUrl(url, example),
    path: given.path,
    auth: given.auth === undefined ? undefined : readAuth(given.auth),
    headers: readHeaders(given.header ?? []),
    transports: readTransports(given.transports),
    timeout: 1000 * readNumber("--timeout", given.timeout, "a number of seconds", { min: 0.1, max: 3600 }),
  };
}

function readAuth(text: string): Record<string, unknown> {
  const auth = parse(text);
  if (typeof auth === "object" && auth !== null && !Array.isArray(auth))
    return auth as Record<string, unknown>;
  throw new UsageError(`--auth is an object in JSON, such as '{"token":"x"}', not ${text}`);
}

function readTransports(text: string): TransportName[] {
  const names = text.split(",");
  const isKnown = (name: string): name is TransportName => name === "polling" || name === "websocket";
  if (names.every(isKnown)) return names;
  throw new UsageError(`--transports is polling, websocket or polling,websocket, not "${text}"`);
}

/**
 * Reads the argument of an event: JSON, or else text, so that shells need fewer quotes.
 *
 * @throws UsageError if it begins as JSON that is more than a word
 */
export function readValue(text: string): unknown {
  const value = parse(text);
  if (value !== undefined) return value;
  if (/^\s*["[{]/.test(text)) throw new UsageError(`this is not valid JSON: ${text}`);
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
