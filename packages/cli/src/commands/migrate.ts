import type { Command } from "../command.ts";
import { readMigrateOptions } from "./migrate-options.ts";

const help = `Usage: tidewire migrate [options] [<folder>]

Searches a project that uses the official server for what differs with Tidewire: in its code, in package.json, and in configurations
of nginx, HAProxy, Apache and Docker. Prints the places, and what to do. It changes nothing, and reads neither node_modules nor
folders with built files. It looks at single lines, so it can miss something, and find something that is none.

Options:
      --json  prints the results as JSON
  -h, --help

Each difference begins with:
  change  something has to change
  check   look whether you rely on the official behaviour

Exit codes:
  0  nothing has to change
  1  something has to change
  2  the arguments make no sense
`;

export const migrateCommand: Command = {
  name: "migrate",
  summary: "finds what differs in a project that uses the official server",
  help,
  async run(args, terminal) {
    const options = readMigrateOptions(args);
    const { runMigrate } = await import("../migrate/migrate.ts");
    return runMigrate(options, terminal);
  },
};
