import { clientHelp } from "../client/client-options.ts";
import type { Command } from "../command.ts";
import { readEmitOptions } from "./emit-options.ts";

const help = `Usage: tidewire emit [options] <url> <event> [<argument>…]

Emits an event to a server, as a client of the official library. The path of the URL is the namespace. An argument is JSON, or else
text.

Options:
  -a, --ack              waits for the acknowledgement, and prints its arguments as JSON, one on each line
${clientHelp}
      --timeout <s>      how many seconds the connection and the acknowledgement may take (default: 10)
  -h, --help

What follows -- is no option, even if it begins with a dash.

Exit codes:
  0  the event was sent, and acknowledged with --ack
  1  the server refused the client, or did not answer in time
  2  the arguments make no sense

Examples:
  tidewire emit http://localhost:3000 message hello
  tidewire emit --ack http://localhost:3000/admin kick '{"id":7}' --auth '{"token":"x"}'
`;

export const emitCommand: Command = {
  name: "emit",
  summary: "emits an event to a server",
  help,
  async run(args, terminal) {
    const options = readEmitOptions(args);
    const { runEmit } = await import("../client/emit.ts");
    return runEmit(options, terminal);
  },
};
