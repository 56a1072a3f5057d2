import type { Adapter, BroadcastOptions, Room } from "socket.io-adapter";
import { createError, rethrow } from "../errors.ts";
import type { UserCode } from "../events/user-code.ts";
import { AuthError } from "./errors.ts";

/** A socket on which the middlewares of its namespace decide again. */
interface CheckedSocket {
  readonly connected: boolean;
  _endAuth(error: AuthError): void;
}

/**
 * Asks the middlewares about a socket that has joined, and disconnects it if they refuse.
 * @param run - calls the middlewares
 * @returns a promise of whether it is still connected; it rejects with what a middleware throws, which is a refusal, too
 */
export function revalidate(
  socket: CheckedSocket,
  run: (decided: (error?: Error) => void) => void,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let isDecided = false;
    const decide = (error?: Error): void => {
      if (isDecided) return;
      isDecided = true;
      if (error) socket._endAuth(new AuthError("AUTH_REFUSED", error));
      resolve(socket.connected);
    };
    try {
      run(decide);
    } catch (error) {
      if (isDecided) return rethrow(error);
      reject(error);
      decide(createError("MIDDLEWARE_FAILED"));
    }
  });
}

/** The event between servers that asks for it. */
export const REVALIDATE = "tidewire:revalidate";

/** The sockets of a question between servers. */
interface Chosen {
  readonly rooms: readonly Room[];
  readonly except: readonly Room[];
}

/** A socket of this server, as `fetchSockets()` of an adapter returns it. */
interface LocalSocket {
  readonly server: { readonly _userCode: UserCode };
  revalidate(): Promise<boolean>;
}

/** Asks the middlewares about all chosen sockets, on every server of the cluster. */
export async function revalidateSockets(adapter: Adapter, target: BroadcastOptions): Promise<void> {
  const { rooms, except = new Set(), flags } = target;
  const here = revalidateHere(adapter, rooms, except);
  const isAlone = flags?.local === true || (await adapter.serverCount()) <= 1;
  const chosen: Chosen = { rooms: [...rooms], except: [...except] };
  if (!isAlone) adapter.serverSideEmit([REVALIDATE, chosen]);
  await here;
}

/** Handles the question of another server. */
export async function revalidateFor(adapter: Adapter, chosen: unknown): Promise<void> {
  const { rooms, except } = chosen as Chosen;
  await revalidateHere(adapter, new Set(rooms), new Set(except));
}

async function revalidateHere(adapter: Adapter, rooms: Set<Room>, except: Set<Room>): Promise<void> {
  const sockets: unknown[] = await adapter.fetchSockets({ rooms, except, flags: { local: true } });
  for (const socket of sockets as LocalSocket[]) {
    socket.revalidate().catch((error: unknown) => {
      socket.server._userCode.report(error, { source: "middleware", event: undefined, socket });
    });
  }
}
