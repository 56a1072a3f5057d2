import type { Command } from "../command.ts";
import { doctorCommand } from "./doctor.ts";
import { emitCommand } from "./emit.ts";
import { listenCommand } from "./listen.ts";
import { loadCommand } from "./load.ts";
import { migrateCommand } from "./migrate.ts";
import { startCommand } from "./start.ts";

/** @param preload - arguments of node that load the worker's side before a script */
export function allCommands(preload: readonly string[]): readonly Command[] {
  return [startCommand(preload), doctorCommand, emitCommand, listenCommand, loadCommand, migrateCommand];
}
