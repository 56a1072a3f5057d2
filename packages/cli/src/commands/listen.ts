import { clientHelp } from "../client/client-options.ts";
import type { Command } from "../command.ts";
import { readListenOptions } from "./listen-options.ts";

const help = `Usage: tidewire listen [options] <url>

Prints the events that a server sends to a client, one on each line, until SIGINT. The path of the URL is the namespace. The client
connects again when it loses its connection. Connections and disconnections are printed to the standard error output.

Options:
  -e, --event <name>     prints events of this name only; may be repeated
  -n, --count <n>        ends after so many events
      --json             prints an object in JSON for each event: time, event, args
${clientHelp}
      --timeout <s>      how many seconds the connection may take (default: 10)
  -h, --help

Exit codes:
  0  ended by SIGINT or SIGTERM, by --count, or because nobody reads the output
  1  the first connection failed, or the server refused or disconnected the client
  2  the arguments make no sense
`;

export const listenCommand: Command = {
  name: "listen",
  summary: "prints the events of a server",
  help,
  async run(args, terminal) {
    const options = readListenOptions(args);
    const { runListen } = await import("../client/listen.ts");
    return runListen(options, terminal);
  },
};
