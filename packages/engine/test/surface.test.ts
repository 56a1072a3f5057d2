import assert from "node:assert/strict";
import { Session } from "../src/session/session.ts";
import { Transport } from "../src/transport/transport.ts";

function methodsOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).toSorted();
}

describe("what applications see", () => {
  it("of a session: no method that only the engine calls", () => {
    assert.deepEqual(methodsOf(Session.prototype), [
      "bufferedAmount",
      "close",
      "constructor",
      "protocol",
      "requestSource",
      "send",
      "sendMessage",
      "upgrading",
      "writable",
      "write",
      "writeBuffer",
    ]);
  });

  it("of a transport: those of the official one, and what subclasses and sessions call", () => {
    assert.deepEqual(methodsOf(Transport.prototype), [
      "announce",
      "attach",
      "close",
      "closed",
      "constructor",
      "corksReads",
      "detach",
      "discard",
      "failed",
      "handlesUpgrades",
      "onRequest",
      "protocol",
      "sendWhileReading",
    ]);
  });
});
