import assert from "node:assert/strict";
import type { Packet } from "@tidewire/parser";
import { dialectOf } from "../src/connection/dialect.ts";

const connect = (nsp: string, data?: unknown): Packet => ({ type: 0, nsp, data });

describe("the dialect of protocol 4", () => {
  const dialect = dialectOf(4);

  it("lets the client open the root namespace", () => {
    assert.equal(dialect.opensRoot, false);
  });

  it("gives each socket its own id", () => {
    assert.equal(
      dialect.socketId("/a", "session", () => "fresh"),
      "fresh",
    );
  });

  it("sends the client its ids", () => {
    assert.deepEqual(dialect.acceptance("id", "pid"), { sid: "id", pid: "pid" });
  });

  it("refuses with message and data", () => {
    const error = Object.assign(new Error("no"), { data: { a: 1 } });
    assert.deepEqual(dialect.refusal(error), { message: "no", data: { a: 1 } });
  });

  it("uses namespace and credentials unchanged", () => {
    assert.deepEqual(dialect.target(connect("/a?b=c", { d: 1 })), {
      namespace: "/a?b=c",
      authPayload: { d: 1 },
    });
    assert.deepEqual(dialect.target(connect("/")), { namespace: "/", authPayload: {} });
  });
});

describe("the dialect of protocol 3", () => {
  const dialect = dialectOf(3);

  it("opens the root namespace by itself", () => {
    assert.equal(dialect.opensRoot, true);
  });

  it("derives ids from the session's", () => {
    const never = (): string => assert.fail();
    assert.equal(dialect.socketId("/", "session", never), "session");
    assert.equal(dialect.socketId("/a", "session", never), "/a#session");
  });

  it("accepts without a payload", () => {
    assert.equal(dialect.acceptance("id", undefined), undefined);
  });

  it("refuses with the data, or with the message", () => {
    assert.deepEqual(dialect.refusal(Object.assign(new Error("no"), { data: { a: 1 } })), { a: 1 });
    assert.equal(dialect.refusal(new Error("no")), "no");
  });

  it("reads credentials from the query of the namespace, into an object without a prototype", () => {
    const { namespace, authPayload } = dialect.target(connect("/a?token=1&__proto__=2"));
    assert.equal(namespace, "/a");
    assert.deepEqual(Object.entries(authPayload), [
      ["token", "1"],
      ["__proto__", "2"],
    ]);
    assert.equal(Object.getPrototypeOf(authPayload), null);
  });
});
