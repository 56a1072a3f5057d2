// Declares the scenarios, in order.
import type { ServerOptions } from "socket.io";
import type { EngineOptions } from "../../test/support/engine/types.ts";
import { EngineRun } from "./engine-run.ts";
import type { Transcript } from "./recorder.ts";
import type { Run } from "./run.ts";
import { ServerRun } from "./server-run.ts";
import type { Target } from "./targets.ts";

export type Part = "socket.io" | "engine.io";
export type Way = "polling" | "websocket" | "upgrade" | "any";

export interface Scenario {
  readonly name: string;
  readonly part: Part;
  /** The column in the table. */
  readonly transport: Way;
  /** Whether it must run alone, because it observes the whole process. */
  readonly alone: boolean;
  play(target: Target): Promise<Transcript>;
}

export interface Declaration<Options> {
  transport: Way;
  options?: Options;
  alone?: boolean;
}

export const scenarios: Scenario[] = [];

/** Declares a scenario against an engine. */
export function onEngine(
  name: string,
  declaration: Declaration<EngineOptions>,
  script: (run: EngineRun) => Promise<void>,
): void {
  declare("engine.io", name, declaration, (target) => EngineRun.start(target, declaration.options), script);
}

/** Declares a scenario against a server. */
export function onServer(
  name: string,
  declaration: Declaration<Partial<ServerOptions>>,
  script: (run: ServerRun) => Promise<void>,
): void {
  declare("socket.io", name, declaration, (target) => ServerRun.start(target, declaration.options), script);
}

function declare<R extends Run>(
  part: Part,
  name: string,
  { transport, alone = false }: Declaration<unknown>,
  start: (target: Target) => Promise<R>,
  script: (run: R) => Promise<void>,
): void {
  if (scenarios.some((scenario) => scenario.name === name))
    throw new Error(`two scenarios are named ${name}`);
  const play = async (target: Target): Promise<Transcript> => {
    const run = await start(target);
    try {
      await script(run);
      return await run.finish();
    } finally {
      await run.close();
    }
  };
  scenarios.push({ name, part, transport, alone, play });
}

/** The client options for each way to connect. */
export const ways = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
} as const;

export type ClientWay = { transports: ("polling" | "websocket")[] };

/** Declares a scenario for each way to connect; its name ends with the way. */
export function overEveryWay(
  name: string,
  options: Partial<ServerOptions>,
  script: (run: ServerRun, way: ClientWay) => Promise<void>,
): void {
  for (const [transport, { transports }] of Object.entries(ways) as [
    keyof typeof ways,
    (typeof ways)["upgrade"],
  ][]) {
    const way: ClientWay = { transports: [...transports] };
    onServer(`${name}, ${transport}`, { transport, options }, (run) => script(run, way));
  }
}
