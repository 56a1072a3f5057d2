import assert from "node:assert/strict";
import { TokenBucket, TokenBuckets } from "../src/limits/token-bucket.ts";

describe("a token bucket", () => {
  it("lets a burst through, then the rate", () => {
    const rate = { rate: 10, burst: 3 };
    const bucket = new TokenBucket(rate, 0);
    const take = (now: number): boolean => bucket.take(1, rate, now);
    assert.deepEqual([take(0), take(0), take(0), take(0)], [true, true, true, false]);
    assert.deepEqual([take(99), take(100), take(100)], [false, true, false]);
    assert.deepEqual([take(10_000), take(10_000), take(10_000), take(10_000)], [true, true, true, false]);
  });

  it("lets what is larger than the burst through when it is full, and makes up for it", () => {
    const rate = { rate: 100, burst: 100 };
    const bucket = new TokenBucket(rate, 0);
    assert.equal(bucket.take(500, rate, 0), true);
    assert.equal(bucket.take(1, rate, 4000), false);
    assert.equal(bucket.take(1, rate, 4010), true);
  });
});

describe("token buckets by key", () => {
  it("do not affect each other", () => {
    const buckets = new TokenBuckets({ rate: 1, burst: 1 });
    assert.deepEqual([buckets.take("a", 0), buckets.take("a", 0), buckets.take("b", 0)], [true, false, true]);
  });

  it("are forgotten once they are full again", () => {
    const buckets = new TokenBuckets({ rate: 10, burst: 1 });
    for (let i = 0; i < 100_000; i++) buckets.take(`client ${i}`, i);
    assert.ok(buckets.size <= 101, `${buckets.size} buckets`);
  });
});
