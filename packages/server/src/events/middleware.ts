/** A function that runs before the listeners: it calls `next()` to go on, or `next(error)` to refuse. */
export type Middleware<Subject> = (subject: Subject, next: (error?: Error) => void) => void;

/**
 * Calls the middlewares one after the other, then `done`, with the error of the first one that refused, if any. Middlewares that
 * are added meanwhile are not called.
 */
export function runMiddlewares<Subject>(
  middlewares: readonly Middleware<Subject>[],
  subject: Subject,
  done: (error?: Error) => void,
): void {
  if (middlewares.length === 0) return done();
  const steps = middlewares.slice();
  const run = (index: number): void => {
    // Compares the index, because an entry that is not a function must not let anyone past it.
    if (index === steps.length) return done();
    const step = steps[index]!;
    step(subject, (error) => (error ? done(error) : run(index + 1)));
  };
  run(0);
}
