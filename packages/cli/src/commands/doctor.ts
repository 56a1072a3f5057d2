import type { Command } from "../command.ts";
import { readDoctorOptions } from "./doctor-options.ts";

const help = `Usage: tidewire doctor [options] <url>

Examines a running server from outside, with all that is in front of it: Tidewire or any other Socket.IO server of version 3 or later.
For each thing that is wrong, it prints the lines of nginx, HAProxy, Apache or the application that repair it.

It opens sessions and joins no namespace, so the application sees no connection. It takes as long as pingInterval (usually 25 seconds),
because it waits for a ping.

Options:
      --path <path>      the path of the server (default: /socket.io/)
      --origin <origin>  the origin of your pages, to check CORS, such as https://example.com
  -H, --header <header>  a header for all requests, such as "Authorization: Bearer x"; may be repeated
      --timeout <s>      how many seconds an answer may take (default: 10)
      --hold <s>         for how many seconds connections are kept idle at most; 0 skips this (default: 40)
      --json             prints the results as JSON
  -h, --help

Each line begins with:
  ok       all is well
  note     worth knowing
  wrong    some clients cannot connect, or lose their connections
  skipped  needs something that is wrong or was not asked for

Exit codes:
  0  nothing is wrong
  1  something is wrong
  2  the arguments make no sense
`;

export const doctorCommand: Command = {
  name: "doctor",
  summary: "examines a running server and its proxies",
  help,
  async run(args, terminal) {
    const options = readDoctorOptions(args);
    const { runDoctor } = await import("../doctor/doctor.ts");
    return runDoctor(options, terminal);
  },
};
