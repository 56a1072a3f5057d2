import assert from "node:assert/strict";
import { preview } from "../src/watching/preview.ts";

function shown(value: unknown): string {
  return preview([value])[0]!;
}

describe("preview()", () => {
  it("is close to JSON", () => {
    assert.deepEqual(preview([1, "a", true, null, undefined, [1, [2]], { a: { b: "c" } }, () => {}]), [
      "1",
      '"a"',
      "true",
      "null",
      "undefined",
      "[1, [2]]",
      '{ "a": { "b": "c" } }',
      "ack()",
    ]);
    assert.deepEqual(preview([10n, NaN, new Date(0), new TypeError("no"), Buffer.of(1, 2), {}, []]), [
      "10n",
      "NaN",
      "1970-01-01T00:00:00.000Z",
      "TypeError: no",
      "<2 bytes>",
      "{}",
      "[]",
    ]);
  });

  it("calls nothing of what it shows", () => {
    const trap = {
      get secret(): never {
        throw new Error("was read");
      },
      toJSON: () => assert.fail("was called"),
    };
    assert.equal(shown(trap), '{ "secret": (getter), "toJSON": ack() }');
    assert.equal(
      shown(
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error("no");
            },
          },
        ),
      ),
      "{…}",
    );
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    assert.match(shown(cycle), /\{…\}/);
  });

  it("is short, whatever it is", () => {
    const values = [
      "x".repeat(1e6),
      Array.from({ length: 1e5 }, () => "y".repeat(1000)),
      Object.fromEntries(Array.from({ length: 1e4 }, (_, index) => ["k".repeat(1000) + index, index])),
      10n ** 5000n,
    ];
    for (const value of values) assert.ok(shown(value).length <= 801, shown(value).slice(0, 50));
    const many = preview(Array.from({ length: 1000 }, (_, index) => index));
    assert.equal(many.length, 41);
    assert.equal(many.at(-1), "…");
  });
});
