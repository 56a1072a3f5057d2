// The command line, run from the sources; its first argument is what workers load before a script.
import { allCommands } from "../../../packages/cli/src/commands/all.ts";
import { main } from "../../../packages/cli/src/main.ts";

const [preload = "", ...args] = process.argv.slice(2);
const terminal = { out: process.stdout, err: process.stderr };
process.exitCode = await main(args, allCommands(["--import", preload]), terminal, "");
