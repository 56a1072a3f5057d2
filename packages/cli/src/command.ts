import type { Terminal } from "./terminal.ts";

/** One command of the command line, such as `tidewire start`. */
export interface Command {
  readonly name: string;
  /** For the list of commands: what it does, in a few words. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  /**
   * @param args - what follows the name
   * @returns the exit code
   * @throws UsageError for arguments that make no sense
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}
