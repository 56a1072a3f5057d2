import assert from "node:assert/strict";
import { nats } from "../src/nats.ts";
import type { NatsOptions } from "../src/nats.ts";
import { subjectOf } from "../src/subjects.ts";

/** Has the members of a connection, and none of their behaviour. */
const connection = Object.fromEntries(
  ["publish", "subscribe", "flush", "status", "closed", "isClosed"].map((name) => [name, () => {}]),
) as unknown as NatsOptions["connection"];

describe("nats()", () => {
  for (const [title, options, code] of [
    ["what is no connection", { connection: {} }, "NO_CONNECTION"],
    ["no connection", {}, "NO_CONNECTION"],
    ["a lease that is too short", { connection, lease: 10 }, "BAD_LEASE"],
    ["a prefix with an empty word", { connection, prefix: "acme..chat" }, "BAD_PREFIX"],
    ["a prefix with a wildcard", { connection, prefix: "acme.*" }, "BAD_PREFIX"],
  ] as const) {
    it(`reports ${title}`, () => {
      assert.throws(() => nats(options as unknown as NatsOptions), { name: "NatsError", code });
    });
  }

  it("makes one word of a cluster's name", () => {
    assert.equal(subjectOf("acme.tidewire", "chat..eu."), "acme.tidewire.chat::eu:");
  });
});
