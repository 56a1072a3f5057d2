import type { internals } from "@tidewire/server";
import { createError } from "./errors.ts";
import { roomsNamed } from "./rooms-named.ts";
import { preview } from "./watching/preview.ts";

/** How long an answer is awaited, in ms. */
const ANSWER_TIMEOUT = 5000;
/** How long names may be. */
const MAX_NAME = 1000;

/** What the page asks the server to do. Everything in it is checked. */
export type Action =
  /** To a socket, to a room, or to the whole namespace. */
  | {
      readonly type: "emit";
      readonly namespace: string;
      readonly socket?: string;
      readonly room?: string;
      readonly event: string;
      readonly args: readonly unknown[];
      /** Whether the socket is asked for an answer. */
      readonly ack?: boolean;
    }
  | {
      readonly type: "join" | "leave";
      readonly namespace: string;
      readonly socket: string;
      readonly room: string;
    }
  /** A socket leaves its namespace. */
  | { readonly type: "disconnect"; readonly namespace: string; readonly socket: string }
  /** The connections of all sockets of a room are closed. */
  | { readonly type: "empty"; readonly namespace: string; readonly room: string }
  /** A connection is closed, with the sockets of all its namespaces. */
  | { readonly type: "close"; readonly sid: string };

export interface ActionResult {
  /** What the client has answered. */
  readonly answer?: string;
}

type View = internals.ServerView;

function textOf(value: unknown): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_NAME)
    throw createError("INVALID_REQUEST");
  return value;
}

/** Does what a page asks for, on sockets of this process; what goes to rooms and namespaces reaches the whole cluster. */
export class Actions {
  readonly #view: View;

  constructor(view: View) {
    this.#view = view;
  }

  /** @throws InspectorError if it is invalid, or if its target is gone; Error if the server refuses it */
  async run(given: unknown): Promise<ActionResult> {
    if (typeof given !== "object" || given === null) throw createError("INVALID_REQUEST");
    const action = given as Action;
    switch (action.type) {
      case "emit":
        return this.#emit(action);
      case "join":
        await this.#socket(action).join(textOf(action.room));
        return {};
      case "leave":
        for (const room of roomsNamed(textOf(action.room))) await this.#socket(action).leave(room);
        return {};
      case "disconnect":
        this.#socket(action).disconnect();
        return {};
      case "empty":
        this.#namespace(action)
          .in(roomsNamed(textOf(action.room)))
          .disconnectSockets(true);
        return {};
      case "close":
        this.#close(textOf(action.sid));
        return {};
      default:
        throw createError("INVALID_REQUEST");
    }
  }

  async #emit(action: Action & { readonly type: "emit" }): Promise<ActionResult> {
    const event = textOf(action.event);
    const { args } = action;
    if (!Array.isArray(args)) throw createError("INVALID_REQUEST");
    const given = args as readonly unknown[];
    if (action.socket !== undefined) {
      const socket = this.#socket({ namespace: action.namespace, socket: action.socket });
      if (action.ack !== true) {
        socket.emit(event, ...given);
        return {};
      }
      const [answer = ""] = preview([await socket.timeout(ANSWER_TIMEOUT).emitWithAck(event, ...given)]);
      return { answer };
    }
    const namespace = this.#namespace(action);
    if (action.room === undefined) namespace.emit(event, ...given);
    else namespace.to(roomsNamed(textOf(action.room))).emit(event, ...given);
    return {};
  }

  #namespace({ namespace }: { readonly namespace: string }): internals.InspectedNamespace {
    const found = this.#view.namespaces.get(textOf(namespace));
    if (found === undefined) throw createError("NOT_FOUND");
    return found;
  }

  #socket(target: { readonly namespace: string; readonly socket: string }): internals.InspectedSocket {
    const found = this.#namespace(target).sockets.get(textOf(target.socket));
    if (found === undefined) throw createError("NOT_FOUND");
    return found;
  }

  #close(sid: string): void {
    for (const engine of this.#view.engines()) {
      const session = engine.find(sid);
      if (session === undefined) continue;
      const [socket] = this.#view.socketsOf(session);
      if (socket === undefined) session.close();
      else socket.disconnect(true);
      return;
    }
    throw createError("NOT_FOUND");
  }
}
