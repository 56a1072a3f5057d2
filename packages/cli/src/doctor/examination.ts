import type { Check } from "./check.ts";
import { skipped, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { NoAnswer } from "./requests.ts";
import type { Target } from "./target.ts";

export interface Result extends Finding {
  readonly name: string;
}

/** Sees what happens while it happens. */
export interface Observer {
  /** @param running - the names of the checks that run now */
  started(running: readonly string[], done: number): void;
  finished(result: Result): void;
}

/** Runs the checks one after the other, and then those that wait at the same time. */
export async function examine(
  target: Target,
  checks: readonly Check[],
  observer: Observer,
): Promise<Result[]> {
  const results = new Map<string, Result>();
  const run = async (check: Check): Promise<void> => {
    const result = { name: check.name, ...(await findingOf(check, target, results)) };
    results.set(check.name, result);
    observer.finished(result);
  };
  for (const check of checks.filter(({ isLong }) => isLong !== true)) {
    observer.started([check.name], results.size / checks.length);
    await run(check);
  }
  const long = checks.filter(({ isLong }) => isLong === true);
  observer.started(
    long.map(({ name }) => name),
    results.size / checks.length,
  );
  await Promise.all(long.map(run));
  return checks.map(({ name }) => results.get(name)!);
}

async function findingOf(
  check: Check,
  target: Target,
  results: ReadonlyMap<string, Result>,
): Promise<Finding> {
  // A note of a check that others need says that its subject is missing on purpose, except for the requirement of cookies.
  const failed = check.needs.find((name) => !isFulfilled(results.get(name)));
  if (failed !== undefined) return skipped(`needs: ${failed}`);
  try {
    return await check.run(target);
  } catch (error) {
    if (error instanceof NoAnswer) return wrong(error.message, "The server, or a proxy, does not answer.");
    throw error;
  }
}

function isFulfilled(result: Result | undefined): boolean {
  return result?.status === "ok" || (result?.status === "note" && result.name === "sticky sessions");
}
