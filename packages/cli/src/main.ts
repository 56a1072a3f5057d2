const USAGE = `tidewire <command>

Commands: none yet.
`;

/**
 * Runs the command line.
 *
 * @returns the exit code of the process
 */
export function main(_args: readonly string[]): Promise<number> {
  process.stderr.write(USAGE);
  return Promise.resolve(2);
}
