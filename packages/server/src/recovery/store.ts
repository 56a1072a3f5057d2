import { internals } from "@tidewire/engine";
import createDebug from "debug";
import type { LeavingState, RestoredState } from "./states.ts";

const debug = createDebug("socket.io:namespace");

/** An adapter that may keep recovery states. */
interface StateKeeper {
  /** whether it keeps none, and nothing that is sent needs to be recorded */
  readonly keepsNoStates?: boolean;
  /** whether it knows where a state began, and so restores one whose client has received nothing */
  readonly restoresWithoutOffset?: boolean;
  persistSession?(state: LeavingState): unknown;
  restoreSession?(pid: string, offset?: string): Promise<RestoredState | null> | null;
}

/** The recovery states that an adapter keeps. What the adapter throws or rejects costs the state and nothing else. */
export class RecoveryStore {
  readonly adapter: StateKeeper;
  /** The states that the adapter has not kept yet, by pid. */
  readonly #pending = new Map<string, Promise<void>>();

  constructor(adapter: StateKeeper) {
    this.adapter = adapter;
  }

  /** Whether states may be kept. */
  get isInUse(): boolean {
    return this.adapter.keepsNoStates !== true;
  }

  /** Keeps the state of a socket that leaves. */
  persist(state: LeavingState): void {
    const { adapter } = this;
    if (adapter.persistSession === undefined) return;
    try {
      const kept = adapter.persistSession(state);
      if (internals.isThenable(kept)) void this.#settle(state.pid, kept);
    } catch (error) {
      logFailure(error);
    }
  }

  async #settle(pid: string, kept: PromiseLike<unknown>): Promise<void> {
    const settled = Promise.resolve(kept).then(() => {}, logFailure);
    this.#pending.set(pid, settled);
    await settled;
    if (this.#pending.get(pid) === settled) this.#pending.delete(pid);
  }

  /**
   * Finds the state of a client that has come back, possibly before its state is kept.
   * @returns null if the adapter has none, keeps none, or fails
   */
  async restore(pid: string, offset: unknown): Promise<RestoredState | null> {
    const { adapter } = this;
    if (adapter.restoreSession === undefined) return null;
    await this.#pending.get(pid);
    try {
      if (typeof offset === "string") return await adapter.restoreSession(pid, offset);
      return offset === undefined && adapter.restoresWithoutOffset ? await adapter.restoreSession(pid) : null;
    } catch (error) {
      debug("error while restoring session: %s", error);
      return null;
    }
  }
}

function logFailure(error: unknown): void {
  debug("error while persisting session: %s", error);
}
