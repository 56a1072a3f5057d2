import createDebug from "debug";
import type { Session } from "socket.io-adapter";
import type { LeavingSession } from "./sessions.ts";
import { isThenable } from "../events/user-code.ts";

const debug = createDebug("socket.io:namespace");

/** An adapter, as far as it keeps sessions. Those that were written before recovery have none of it. */
interface SessionStore {
  /** whether it knows where a session has started */
  readonly restoresWithoutOffset?: boolean;
  persistSession?(session: LeavingSession): unknown;
  restoreSession?(pid: string, offset?: string): Promise<Session | null> | null;
}

/** The sessions that stores are about to keep, by their ids. */
const underWay = new WeakMap<SessionStore, Map<string, Promise<void>>>();

/** Hands the session of a socket that leaves to its adapter. One that fails costs the session, and nothing else. */
export function persistSession(store: SessionStore, session: LeavingSession): void {
  if (store.persistSession === undefined) return;
  try {
    const kept = store.persistSession(session);
    if (isThenable(kept)) void settle(store, session.pid, kept);
  } catch (error) {
    failed(error);
  }
}

/** A client may come back before its session is kept. */
async function settle(store: SessionStore, pid: string, kept: PromiseLike<unknown>): Promise<void> {
  const sessions = underWay.get(store) ?? new Map<string, Promise<void>>();
  underWay.set(store, sessions);
  const settled = Promise.resolve(kept).then(() => {}, failed);
  sessions.set(pid, settled);
  await settled;
  if (sessions.get(pid) === settled) sessions.delete(pid);
}

function failed(error: unknown): void {
  debug("error while persisting session: %s", error);
}

/** The session the adapter has kept; null if it has none, keeps none, or fails. */
export async function restoreSession(
  store: SessionStore,
  pid: string,
  offset: unknown,
): Promise<Session | null> {
  if (store.restoreSession === undefined) return null;
  await underWay.get(store)?.get(pid);
  try {
    if (typeof offset === "string") {
      return await store.restoreSession(pid, offset);
    }
    return offset === undefined && store.restoresWithoutOffset ? await store.restoreSession(pid) : null;
  } catch (error) {
    debug("error while restoring session: %s", error);
    return null;
  }
}
