import { within } from "./queue.ts";

/** Anything with `once`: sockets of both sides, namespaces, engines. */
interface Emitter {
  once(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The arguments of the next `event`. */
export function next<T extends unknown[] = unknown[]>(emitter: unknown, event: string): Promise<T> {
  const come = new Promise<T>((resolve) => {
    (emitter as Emitter).once(event, (...args) => resolve(args as T));
  });
  return within(come, `the event ${event}`);
}

/** The arguments of the next `count` events of the name, in order. */
export function collect(emitter: unknown, event: string, count: number): Promise<unknown[][]> {
  const seen: unknown[][] = [];
  const all = new Promise<unknown[][]>((resolve) => {
    (emitter as { on: Emitter["once"] }).on(event, (...args) => {
      seen.push(args);
      if (seen.length === count) resolve(seen);
    });
  });
  return within(all, `${count} events ${event}`);
}
