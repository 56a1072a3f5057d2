import Mocha from "mocha";

/** How long each test and each hook may take on CI at least, in ms: its machine may be busy, and this costs time only where something hangs. */
const LEAST = 90_000;

interface Limited {
  timeout(): number;
  timeout(ms: string | number): unknown;
}

/** Raises whatever timeout is set to `LEAST`; 0, which is none, stays. */
function raise(prototype: Limited): void {
  const timeout = Reflect.get(prototype, "timeout") as (...given: unknown[]) => unknown;
  prototype.timeout = function (this: Limited, ...given: [ms?: string | number]) {
    const [ms] = given;
    const raised = typeof ms === "number" && ms > 0 ? [Math.max(ms, LEAST)] : given;
    return Reflect.apply(timeout, this, raised) as never;
  };
}

if (process.env["CI"] !== undefined) {
  raise(Mocha.Suite.prototype);
  raise(Mocha.Runnable.prototype);
}
