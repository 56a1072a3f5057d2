import { Tally } from "./tally.ts";

/** What the engine counts since it was created. None of it happens once per message. */
export class EngineCounters {
  /** Opened sessions, by transport. */
  readonly handshakes: Tally = new Tally();
  /** Refused requests, by the name in the context of `connection_error`, else by its code. */
  readonly refusals: Tally = new Tally();
  /** Finished upgrades. */
  upgraded: number = 0;
  /** Upgrades that the session has given up, or did not outlive. */
  upgradesFailed: number = 0;
  /** How long the finished upgrades took together, in ms. */
  upgradeTime: number = 0;
  /** Sessions that were ended because their client did not read. */
  slowConsumers: number = 0;
}
