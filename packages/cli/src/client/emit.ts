import type { Socket } from "socket.io-client";
import type { EmitOptions } from "../commands/emit-options.ts";
import { ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { connected, openClient } from "./connect.ts";
import { asJson } from "./print.ts";

/** Emits one event, and prints the arguments of its acknowledgement, one on each line. */
export async function runEmit(options: EmitOptions, { out, err }: Terminal): Promise<number> {
  const socket = openClient(options.client, false);
  try {
    await connected(socket, options.client.timeout);
    if (!options.ack) {
      socket.emit(options.event, ...options.values);
      await sent(socket);
      return ExitCode.DONE;
    }
    for (const value of await acknowledged(socket, options)) out.write(`${asJson(value)}\n`);
    return ExitCode.DONE;
  } catch (error) {
    err.write(`tidewire emit: ${(error as Error).message}\n`);
    return ExitCode.FAILED;
  } finally {
    socket.disconnect();
  }
}

/** @throws Error if the connection ends before the acknowledgement, or if it takes too long */
function acknowledged(socket: Socket, { client, event, values }: EmitOptions): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      socket.off("disconnect", leave);
      then();
    };
    const timer = setTimeout(
      () => settle(() => reject(new Error(`no acknowledgement within ${client.timeout / 1000} s`))),
      client.timeout,
    );
    const leave = (reason: string): void => settle(() => reject(new Error(`disconnected: ${reason}`)));
    socket.once("disconnect", leave);
    socket.emit(event, ...values, (...answers: unknown[]) => settle(() => resolve(answers)));
  });
}

/** The engine has written everything. */
function sent(socket: Socket): Promise<void> {
  const { engine } = socket.io;
  return new Promise((resolve) => {
    socket.once("disconnect", () => resolve());
    const look = (): void => {
      if (engine.writeBuffer.length > 0) return;
      engine.off("drain", look);
      resolve();
    };
    engine.on("drain", look);
    // The client writes at once, unless the transport is busy.
    setImmediate(look);
  });
}
