import { readArguments, readHeaders, readNumber, readUrl } from "../arguments.ts";
import { UsageError } from "../usage-error.ts";

export interface DoctorOptions {
  readonly url: URL;
  /** The path of the engine. */
  readonly path: string;
  /** The origin whose pages shall be able to connect. */
  readonly origin: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** How long an answer may take, in ms. */
  readonly timeout: number;
  /** For how long connections are kept idle at most, in ms. */
  readonly hold: number;
  readonly json: boolean;
}

const options = {
  path: { type: "string", default: "/socket.io/" },
  origin: { type: "string" },
  header: { type: "string", multiple: true, short: "H", default: [] },
  timeout: { type: "string", default: "10" },
  hold: { type: "string", default: "40" },
  json: { type: "boolean", default: false },
} as const;

/** @throws UsageError */
export function readDoctorOptions(args: readonly string[]): DoctorOptions {
  const { values, positionals } = readArguments(args, {
    ...options,
    header: { ...options.header, default: [] as string[] },
  });
  const [given, unexpected] = positionals;
  if (unexpected !== undefined) throw new UsageError(`there is one server, and "${unexpected}" is a second`);
  return {
    url: readUrl(given, "tidewire doctor https://example.com"),
    path: readPath(values.path),
    origin: values.origin === undefined ? undefined : readOrigin(values.origin),
    headers: readHeaders(values.header),
    timeout: 1000 * readNumber("--timeout", values.timeout, "a number of seconds", { min: 0.1, max: 300 }),
    hold: 1000 * readNumber("--hold", values.hold, "a number of seconds", { min: 0, max: 300 }),
    json: values.json,
  };
}

/** As the official client does it: a path without a slash at its end gets one. */
function readPath(given: string): string {
  return `/${given.replace(/^\/+|\/+$/g, "")}/`.replace("//", "/");
}

function readOrigin(given: string): string {
  return readUrl(given, "").origin;
}
