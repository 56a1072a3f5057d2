import { PassThrough } from "node:stream";
import type { Command } from "../../../packages/cli/src/command.ts";
import { main } from "../../../packages/cli/src/main.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, to its end. */
export async function runCommand(command: Command, args: readonly string[]): Promise<Ran> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await main([command.name, ...args], [command], { out, err }, "");
  const textOf = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? "").toString();
  return { code, out: textOf(out), err: textOf(err) };
}
