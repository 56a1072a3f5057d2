import type { ListenOptions } from "../commands/listen-options.ts";
import { ExitCode } from "../exit-code.ts";
import { styleFor } from "../output/style.ts";
import type { Terminal } from "../terminal.ts";
import { openClient, reasonOf } from "./connect.ts";
import { asJson, printed } from "./print.ts";

/** Prints events until there were enough, until a signal, or until nobody reads them. */
export function runListen(options: ListenOptions, { out, err }: Terminal): Promise<number> {
  const { client, events, count, json } = options;
  const { faint, strong } = styleFor(out);
  const socket = openClient(client, true);
  let seen = 0;
  let wasConnected = false;
  return new Promise((resolve) => {
    const end = (code: number): void => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
      out.off("error", stop);
      socket.offAny();
      socket.disconnect();
      resolve(code);
    };
    const stop = (): void => end(ExitCode.DONE);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
    // The reader has left, such as head -1.
    out.on("error", stop);

    socket.on("connect", () => {
      wasConnected = true;
      err.write(`connected to ${client.url.href} as ${socket.id}\n`);
    });
    socket.on("disconnect", (reason) => {
      if (reason === "io client disconnect") return;
      err.write(`disconnected: ${reason}\n`);
      if (!socket.active) end(ExitCode.FAILED);
    });
    socket.on("connect_error", (error) => {
      err.write(`cannot connect: ${reasonOf(error)}\n`);
      if (!wasConnected || !socket.active) end(ExitCode.FAILED);
    });
    socket.onAny((event: string, ...args: unknown[]) => {
      if (events.length > 0 && !events.includes(event)) return;
      // The acknowledgement function of an event that asks for one.
      const values = typeof args.at(-1) === "function" ? args.slice(0, -1) : args;
      const time = new Date().toISOString();
      const line = json
        ? asJson({ time, event, args: values })
        : [faint(time.slice(11, 23)), strong(event), ...values.map(printed)].join(" ");
      out.write(`${line}\n`);
      if (++seen === count) end(ExitCode.DONE);
    });
  });
}
