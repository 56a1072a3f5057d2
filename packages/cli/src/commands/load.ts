import { clientHelp } from "../client/client-options.ts";
import type { Command } from "../command.ts";
import { readLoadOptions } from "./load-options.ts";

const help = `Usage: tidewire load [options] <url>

Opens connections to a server with the official client, emits events that the server acknowledges, and reports latencies and errors.
The path of the URL is the namespace. SIGINT ends it early, with a report.

Options:
  -c, --connections <n>  how many connections, up to 10000 (default: 50)
      --connect-rate <n> how many of them to open per second (default: 50)
  -d, --duration <s>     for how many seconds to keep them, and to emit events (default: 10)
  -e, --event <name>     the event to emit; its listener must call the acknowledgement. Without it, only connections are measured
      --data <json>      an argument of the event, JSON or else text; may be repeated
  -r, --rate <n>         how many events per second, over all connections (default: 100)
      --json             prints the results as JSON
${clientHelp}
      --timeout <s>      how many seconds a connection and an acknowledgement may take (default: 10)
  -h, --help

Exit codes:
  0  no errors
  1  connections or acknowledgements failed
  2  the arguments make no sense
`;

export const loadCommand: Command = {
  name: "load",
  summary: "opens many connections, and measures latencies",
  help,
  async run(args, terminal) {
    const options = readLoadOptions(args);
    const { runLoad } = await import("../load/load.ts");
    return runLoad(options, terminal);
  },
};
