import type { Inspector, InspectorOptions, Server } from "@tidewire/server";
import { io as connect } from "socket.io-client";
import type { Socket as ClientSocket } from "socket.io-client";
import { connected } from "../server/clients.ts";
import type { ClientOptions, StartedServer } from "../server/started-server.ts";
import { PATIENCE, within } from "../waiting/queue.ts";

/** What the page asks and is answered. */
interface Answer {
  readonly error?: { readonly code: string; readonly message: string };
  readonly result?: { readonly answer?: string };
}

/** The server of this project that a test has started. */
export function own({ io }: Pick<StartedServer, "io">): Server {
  return io as unknown as Server;
}

export function inspect(running: StartedServer, options?: InspectorOptions): Promise<Inspector> {
  return own(running).inspect(options);
}

/** An open page without a browser: it connects as the page does. */
export class Watching implements Disposable {
  readonly socket: ClientSocket;

  constructor(socket: ClientSocket) {
    this.socket = socket;
  }

  /** Resolves to the code of the refusal, or to the result. */
  async ask(event: string, given: unknown): Promise<string | { readonly answer?: string }> {
    const { error, result } = (await this.socket.timeout(PATIENCE).emitWithAck(event, given)) as Answer;
    return error?.code ?? result!;
  }

  /** Resolves to the first message of the name that the test wants. */
  next<Message>(event: string, wants: (message: Message) => boolean = () => true): Promise<Message> {
    const come = new Promise<Message>((resolve) => {
      const listen = (message: Message): void => {
        if (!wants(message)) return;
        this.socket.off(event, listen);
        resolve(message);
      };
      this.socket.on(event, listen);
    });
    return within(come, `the message ${event}`);
  }

  [Symbol.dispose](): void {
    this.socket.disconnect();
  }
}

export interface WatchingOptions extends ClientOptions {
  /** Of the inspector. */
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

/** Opens a connection of a page that has this token; without one, it fetches one. */
export function connectPage(url: string, token: unknown, options: WatchingOptions = {}): ClientSocket {
  const { path = "/_tidewire", headers = {}, ...rest } = options;
  const auth = token === undefined ? {} : { token };
  return connect(url, {
    path,
    auth,
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
    extraHeaders: headers,
    ...rest,
  });
}

/** Opens the page. */
export async function watch(url: string, options: WatchingOptions = {}): Promise<Watching> {
  const { path = "/_tidewire", headers = {} } = options;
  const response = await fetch(`${url}${path}/token`, { headers });
  if (!response.ok) throw new Error(`the token is refused with ${response.status}`);
  const socket = connectPage(url, await response.text(), options);
  await connected(socket);
  return new Watching(socket);
}
