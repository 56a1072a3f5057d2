/** How often something may happen. */
export interface Rate {
  /** How much per second, on average. */
  readonly rate: number;
  /** How much at once, after a pause. */
  readonly burst: number;
}

/**
 * Lets as much happen per second as a rate allows. What is larger than the whole burst is let through when the bucket is full, and
 * has to be made up for afterwards.
 */
export class TokenBucket {
  #tokens: number;
  /** when the tokens were counted, in ms */
  #at: number;

  constructor({ burst }: Rate, now: number) {
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes this many tokens, unless too few are left; returns whether it did. */
  take(amount: number, { rate, burst }: Rate, now: number): boolean {
    const tokens = Math.min(burst, this.#tokens + ((now - this.#at) * rate) / 1000);
    this.#at = now;
    const isAllowed = tokens >= Math.min(amount, burst);
    this.#tokens = isAllowed ? tokens - amount : tokens;
    return isAllowed;
  }

  /** Whether it is as good as new. */
  isFull({ rate, burst }: Rate, now: number): boolean {
    return this.#tokens + ((now - this.#at) * rate) / 1000 >= burst;
  }
}

/** A bucket for each key that has been in use lately. */
export class TokenBuckets {
  readonly #rate: Rate;
  /** The one that was used last is at the end. */
  readonly #buckets: Map<string, TokenBucket> = new Map();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, now: number): boolean {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, now);
    this.#buckets.delete(key);
    this.#forgetFull(now);
    this.#buckets.set(key, bucket);
    return bucket.take(1, this.#rate, now);
  }

  /** Forgets two at most, so that there are never more than were in use within the time that a bucket takes to fill. */
  #forgetFull(now: number): void {
    let looks = 2;
    for (const [key, bucket] of this.#buckets) {
      if (looks-- === 0 || !bucket.isFull(this.#rate, now)) return;
      this.#buckets.delete(key);
    }
  }
}
