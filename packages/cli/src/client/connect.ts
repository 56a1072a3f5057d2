import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";
import type { ClientOptions } from "./client-options.ts";

/** An official client with a connection of its own. It begins to connect. */
export function openClient(options: ClientOptions, reconnection: boolean): Socket {
  const { url, path, auth, headers, transports, timeout } = options;
  return io(url.href, {
    forceNew: true,
    multiplex: false,
    reconnection,
    path,
    timeout,
    transports: [...transports],
    extraHeaders: { ...headers },
    ...(auth === undefined ? {} : { auth: { ...auth } }),
  });
}

/** @throws Error if the server refuses the client, disconnects it at once, or cannot be reached in time */
export function connected(socket: Socket, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new Error(why));
    };
    // The manager limits the time for the connection, but not that for the namespace.
    const timer = setTimeout(() => fail(`no connection within ${timeout / 1000} s`), timeout);
    socket.once("connect", () => {
      clearTimeout(timer);
      // The message that says so may say, too, that the client is disconnected.
      setImmediate(resolve);
    });
    socket.once("disconnect", (reason) => fail(`disconnected: ${reason}`));
    socket.once("connect_error", (error) => fail(reasonOf(error)));
  });
}

/** The message of a refusal; that of a failed transport, with what caused it. */
export function reasonOf(error: Error & { description?: unknown; data?: unknown }): string {
  const { message, description, data } = error;
  if (data !== undefined) return `${message} ${JSON.stringify(data)}`;
  if (description instanceof Error) return `${message}: ${description.message}`;
  if (typeof description === "number") return `${message}: HTTP ${description}`;
  // The event of a WebSocket or a request that has failed.
  if (typeof description === "object" && description !== null) {
    const { message: inner } = description as { message?: unknown };
    if (typeof inner === "string" && inner !== "") return `${message}: ${inner}`;
  }
  return message;
}
