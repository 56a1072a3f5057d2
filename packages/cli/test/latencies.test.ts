import assert from "node:assert/strict";
import { Latencies } from "../src/load/latencies.ts";

describe("latencies", () => {
  it("have percentiles, within a thousandth", () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1000; ms++) latencies.record(ms);
    const { p50, p95, p99, max } = latencies.percentiles()!;
    for (const [value, expected] of [
      [p50, 500],
      [p95, 950],
      [p99, 990],
      [max, 1000],
    ] as const)
      assert.ok(Math.abs(value - expected) <= expected / 1000, `${value} is not ${expected}`);
    assert.equal(latencies.count, 1000);
  });

  it("have bars from the shortest to the longest", () => {
    const latencies = new Latencies();
    for (const ms of [0.8, 1, 7, 60_000]) latencies.record(ms);
    const bars = latencies.bars();
    assert.deepEqual(
      bars.filter(({ count }) => count > 0),
      [
        { upTo: 1, count: 2 },
        { upTo: 10, count: 1 },
        { upTo: Infinity, count: 1 },
      ],
    );
    assert.deepEqual([bars[0]?.upTo, bars.at(-1)?.upTo], [1, Infinity]);
  });

  it("are empty at first", () => {
    const latencies = new Latencies();
    assert.equal(latencies.percentiles(), undefined);
    assert.deepEqual(latencies.bars(), []);
  });
});
