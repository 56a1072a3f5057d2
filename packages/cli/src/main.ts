import type { Command } from "./command.ts";
import { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Runs the command that the arguments name, and returns the exit code of the process. */
export async function main(
  args: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
  version: string,
): Promise<number> {
  outliveReaders(terminal);
  const [name, ...rest] = args;
  if (name === "--version" || name === "-v") {
    terminal.out.write(`${version}\n`);
    return ExitCode.DONE;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const command = commands.find((each) => each.name === rest[0]);
    (name === undefined ? terminal.err : terminal.out).write(command?.help ?? overview(commands));
    return name === undefined ? ExitCode.USAGE : ExitCode.DONE;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    terminal.err.write(`tidewire: there is no command "${name}"\n\n${overview(commands)}`);
    return ExitCode.USAGE;
  }
  if (asksForHelp(rest)) {
    terminal.out.write(command.help);
    return ExitCode.DONE;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err.write(`tidewire ${name}: ${error.message}\nSee tidewire ${name} --help.\n`);
    return ExitCode.USAGE;
  }
}

/** Whoever reads the output may leave before its end, such as `head -1`. A command that listens for errors itself decides. */
function outliveReaders({ out, err }: Terminal): void {
  for (const stream of [out, err])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && stream.listenerCount("error") === 1) throw error;
    });
}

/** What follows `--` belongs to the script of the application. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: tidewire <command> [options]

Commands:
${lines.join("\n")}

tidewire <command> --help describes the options of a command, and tidewire --version prints the version.
`;
}
