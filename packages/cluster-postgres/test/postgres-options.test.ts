import assert from "node:assert/strict";
import { postgres } from "../src/postgres.ts";
import type { PostgresOptions } from "../src/postgres.ts";

/** Never called. */
const client = () => {};

describe("postgres()", () => {
  for (const [title, options, code] of [
    ["what is no pool", { pool: {} }, "NO_CLIENT"],
    ["neither a pool nor a client", {}, "NO_CLIENT"],
    ["a client in place of a function", { client: {} }, "NO_CLIENT"],
    ["a lease that is too short", { client, lease: 10 }, "BAD_LEASE"],
    ["a prefix that is no name", { client, prefix: "acme-chat" }, "BAD_PREFIX"],
    ["a prefix that is too long", { client, prefix: "a".repeat(16) }, "BAD_PREFIX"],
  ] as const) {
    it(`reports ${title}`, () => {
      assert.throws(() => postgres(options as unknown as PostgresOptions), { name: "PostgresError", code });
    });
  }
});
