import type { Command } from "../command.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import { readStartOptions } from "./start-options.ts";

const help = `Usage: tidewire start [options] <script> [-- <arguments of the script>]

Runs the script once per core. The workers share their ports, and a client may reach any of them with any request: no sticky
sessions are needed. The script needs no change.

Options:
  -w, --workers <n>          how many workers: a number, or auto for one per core (default: auto)
      --ready-timeout <s>    how many seconds a worker may take to listen (default: 30)
      --drain <s>            over how many seconds the clients of a worker that ends leave it, in batches; 0 for all at once
                             (default: 5)
      --stop-timeout <s>     how many seconds a worker may take to end after that, before it is killed (default: 10)
      --no-prefix            prints the lines of the workers as they are, without the number of the worker
  -h, --help

Signals:
  SIGHUP           replaces the workers one by one, each when its successor listens
  SIGTERM          lets the clients leave and ends the workers; the second one kills them
  SIGINT           the same at once, without --drain

A worker that ends is started again: at once, and after longer and longer pauses if it keeps ending.

Each worker finds its number, from 1 on, in the environment variable TIDEWIRE_WORKER. A worker is ready when its first server of
Tidewire listens, or when the script calls process.send("ready").

Exit codes:
  0  ended by a signal
  1  the first worker did not start, or workers were killed because they did not end
  2  the arguments make no sense
`;

/** @param preload - arguments of node that load the worker's side before the script */
export function startCommand(preload: readonly string[]): Command {
  return {
    name: "start",
    summary: "runs a server on all cores",
    help,
    run: (args, terminal) => new Supervisor(readStartOptions(args), preload, terminal).run(),
  };
}
