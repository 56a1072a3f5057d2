import assert from "node:assert/strict";
import { sessionCookie } from "../src/http/cookie.ts";
import { resolveOptions } from "../src/options.ts";

describe("options", () => {
  it("have these defaults", () => {
    assert.deepEqual(resolveOptions({}), {
      pingTimeout: 20_000,
      pingInterval: 25_000,
      upgradeTimeout: 10_000,
      maxHttpBufferSize: 1_000_000,
      maxBackpressure: 16_777_216,
      maxReceiveBacklog: 16_777_216,
      transports: ["polling", "websocket"],
      allowUpgrades: true,
      allowEIO3: false,
      httpCompression: { threshold: 1024 },
      perMessageDeflate: false,
      cookie: false,
    });
  });

  it("that are undefined are treated as absent", () => {
    const given = { pingTimeout: undefined, transports: undefined, cookie: undefined };
    assert.deepEqual(resolveOptions(given as object), resolveOptions({}));
  });

  it("replace the defaults", () => {
    const { pingTimeout, transports, allowEIO3 } = resolveOptions({
      pingTimeout: 5,
      transports: ["websocket"],
      allowEIO3: true,
    });
    assert.deepEqual([pingTimeout, transports, allowEIO3], [5, ["websocket"], true]);
  });

  it("of 0 stay 0", () => {
    assert.equal(resolveOptions({ maxBackpressure: 0 }).maxBackpressure, 0);
  });

  it("are not affected by later changes to the given object", () => {
    const given = { pingTimeout: 5 };
    const resolved = resolveOptions(given);
    given.pingTimeout = 6;
    assert.equal(resolved.pingTimeout, 5);
  });

  it("turn compression on from 1024 bytes, or from the given threshold", () => {
    assert.deepEqual(resolveOptions({ perMessageDeflate: true }).perMessageDeflate, { threshold: 1024 });
    assert.deepEqual(resolveOptions({ perMessageDeflate: { threshold: 5 } }).perMessageDeflate, {
      threshold: 5,
    });
    assert.equal(resolveOptions({ httpCompression: false }).httpCompression, false);
    assert.deepEqual(resolveOptions({ httpCompression: { threshold: 7 } }).httpCompression, { threshold: 7 });
  });

  it("turn the cookie on with the attributes of the official server", () => {
    const standard = { name: "io", path: "/", httpOnly: true, sameSite: "lax" };
    assert.deepEqual(resolveOptions({ cookie: true }).cookie, standard);
    assert.deepEqual(resolveOptions({ cookie: { name: "sid", maxAge: 60 } }).cookie, {
      ...standard,
      name: "sid",
      maxAge: 60,
    });
  });
});

describe("cookie of a session", () => {
  it("is written with its attributes", () => {
    const { cookie } = resolveOptions({ cookie: true });
    assert.ok(cookie);
    assert.equal(sessionCookie("abc", cookie), "io=abc; Path=/; HttpOnly; SameSite=Lax");
  });

  it("has every attribute it was given", () => {
    const cookie = {
      name: "sid",
      maxAge: 60,
      domain: "example.com",
      path: "/x",
      secure: true,
      partitioned: true,
      sameSite: "none" as const,
    };
    assert.equal(
      sessionCookie("a/b", cookie),
      "sid=a%2Fb; Max-Age=60; Domain=example.com; Path=/x; Secure; Partitioned; SameSite=None",
    );
  });
});
