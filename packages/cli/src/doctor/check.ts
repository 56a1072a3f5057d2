import type { Finding } from "./finding.ts";
import type { Target } from "./target.ts";

/** One thing that can be wrong with a server or with what stands in front of it. */
export interface Check {
  readonly name: string;
  /** The names of checks without whose success this one makes no sense. */
  readonly needs: readonly string[];
  /** Keeps a connection idle. Such checks run at the same time, after all others. */
  readonly isLong?: boolean;
  /** @throws NoAnswer if the server does not answer */
  run(target: Target): Promise<Finding>;
}
