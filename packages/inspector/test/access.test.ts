import assert from "node:assert/strict";
import { Attempts } from "../src/access/attempts.ts";
import { Credentials } from "../src/access/credentials.ts";
import { isLocal } from "../src/access/local.ts";
import { Tokens } from "../src/access/tokens.ts";

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

describe("Credentials", () => {
  const credentials = new Credentials({ username: "ops", password: "naïve: 潮" });

  it("match exactly what was given, a colon and other letters included", () => {
    assert.ok(credentials.match(basic("ops:naïve: 潮")));
    assert.ok(credentials.match(basic("ops:naïve: 潮").replace("Basic", "basic")));
  });

  it("match nothing else", () => {
    for (const text of [
      "",
      ":",
      "ops",
      "ops:",
      "ops:naïve",
      "ops:naïve: 潮 ",
      "Ops:naïve: 潮",
      "naïve: 潮:ops",
    ]) {
      assert.ok(!credentials.match(basic(text)), text);
    }
    for (const header of ["", "Basic", "Basic ", "Basic %%%", `Bearer ${basic("ops:naïve: 潮").slice(6)}`]) {
      assert.ok(!credentials.match(header), header);
    }
  });
});

describe("Attempts", () => {
  it("are ten failures of an address in a minute", () => {
    let now = 0;
    const attempts = new Attempts(() => now);
    for (let failure = 1; failure <= 10; failure++) {
      assert.equal(attempts.waitOf("a"), 0);
      attempts.failed("a");
    }
    assert.equal(attempts.waitOf("a"), 60);
    assert.equal(attempts.waitOf("b"), 0);
    now = 59_001;
    assert.equal(attempts.waitOf("a"), 1);
    now = 60_000;
    assert.equal(attempts.waitOf("a"), 0);
  });

  it("begin anew with a success", () => {
    const attempts = new Attempts(() => 0);
    for (let failure = 1; failure <= 9; failure++) attempts.failed("a");
    attempts.succeeded("a");
    for (let failure = 1; failure <= 9; failure++) attempts.failed("a");
    assert.equal(attempts.waitOf("a"), 0);
  });
});

describe("Tokens", () => {
  it("are valid for half a minute, for whoever has the secret", () => {
    let now = 0;
    const tokens = new Tokens("secret", () => now);
    const token = tokens.create();
    assert.ok(tokens.isValid(token));
    assert.ok(new Tokens("secret", () => now).isValid(token));
    assert.ok(!new Tokens("other", () => now).isValid(token));
    assert.ok(!new Tokens(undefined, () => now).isValid(token));
    now = 29_999;
    assert.ok(tokens.isValid(token));
    now = 30_000;
    assert.ok(!tokens.isValid(token));
  });

  it("are not the same twice, and cannot be changed", () => {
    const tokens = new Tokens();
    const token = tokens.create();
    assert.notEqual(token, tokens.create());
    for (const given of [
      "",
      ".",
      token.slice(1),
      `9${token}`,
      token.replace(".", ""),
      `${token}.`,
      null,
      7,
      {},
    ]) {
      assert.ok(!tokens.isValid(given), JSON.stringify(given));
    }
  });
});

describe("isLocal()", () => {
  const from = (
    remoteAddress: string | undefined,
    headers: Record<string, string> = { host: "localhost:3000" },
  ) => isLocal({ remoteAddress, headers });

  it("knows the loopback addresses", () => {
    for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
      assert.ok(from(address), address);
    for (const address of [undefined, "", "10.0.0.1", "::2", "128.0.0.1", "::ffff:10.0.0.1", "1127.0.0.1"]) {
      assert.ok(!from(address), String(address));
    }
  });

  it("needs a host that is a name of this machine", () => {
    for (const host of ["localhost", "app.localhost:80", "127.0.0.1:3000", "[::1]", "[::1]:3000"]) {
      assert.ok(from("::1", { host }), host);
    }
    for (const host of [
      "",
      "example.com",
      "localhost.example.com",
      "127.0.0.1.example.com",
      "[::2]",
      "10.0.0.1",
    ]) {
      assert.ok(!from("::1", { host }), host);
    }
  });

  it("does not believe a proxy", () => {
    for (const name of [
      "x-forwarded-for",
      "forwarded",
      "via",
      "x-real-ip",
      "x-forwarded-host",
      "x-forwarded-proto",
    ]) {
      assert.ok(!from("127.0.0.1", { host: "localhost", [name]: "" }), name);
    }
  });
});
