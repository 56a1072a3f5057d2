import { Latencies } from "./latencies.ts";

/** What a run of `tidewire load` has seen. */
export class Measurement {
  /** From the first request until the namespace is joined. */
  readonly connect: Latencies = new Latencies();
  /** From the emission of an event until its acknowledgement. */
  readonly acks: Latencies = new Latencies();
  /** By their kind. */
  readonly errors: Map<string, number> = new Map();
  /** By the name of the transport, at the end. */
  readonly transports: Map<string, number> = new Map();
  sent = 0;
  /** For how long events were emitted, in ms. */
  emitting = 0;
  /** By how much an event left later than it should have, in ms. */
  lateness = 0;

  fail(kind: string): void {
    increase(this.errors, kind);
  }

  use(transport: string): void {
    increase(this.transports, transport);
  }
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
