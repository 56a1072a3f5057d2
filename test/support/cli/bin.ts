// The command line, run from the sources.
import { allCommands } from "../../../packages/cli/src/commands/all.ts";
import { main } from "../../../packages/cli/src/main.ts";

const preload = ["--import", import.meta.resolve("../../../packages/cli/src/worker/preload.ts")];
const terminal = { out: process.stdout, err: process.stderr };
process.exitCode = await main(process.argv.slice(2), allCommands(preload), terminal);
