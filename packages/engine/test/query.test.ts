import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { ParsedHead } from "../src/host/copied/head.ts";
import { parseQuery, toIncomingMessage } from "../src/http/query.ts";
import type { RequestSource } from "../src/host/host.ts";

/** What the platform makes of it: the last value of each name. */
function expected(url: string): Record<string, string> {
  const [, text = ""] = /^[^?#]*\?([^#]*)/.exec(url) ?? [];
  // The question mark would be dropped if it were the first of the text.
  return Object.fromEntries(new URLSearchParams(`?${text}`));
}

const parts = [
  "a",
  "EIO",
  "sid",
  "=",
  "&",
  "?",
  "#",
  "+",
  "%",
  "%2",
  "%20",
  "%41",
  "%e2%82%ac",
  "%ff",
  "%c3%28",
];
const pieces = fc.constantFrom(...parts, "%00", "__proto__", "é", "/", ";", ".");
const urls = fc.array(pieces, { maxLength: 20 }).map((all) => all.join(""));

describe("query of a request", () => {
  it("is what URLSearchParams reads, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
        assert.deepEqual(parseQuery(`/engine.io/?${text}`), expected(`/engine.io/?${text}`));
      }),
      { numRuns: 2000 },
    );
  });

  it("is what URLSearchParams reads, for texts of escapes and delimiters", () => {
    fc.assert(
      fc.property(urls, (url) => {
        assert.deepEqual(parseQuery(url), expected(url));
      }),
      { numRuns: 5000 },
    );
  });

  it("is empty without a question mark", () => {
    assert.deepEqual({ ...parseQuery("/engine.io/") }, {});
    assert.deepEqual({ ...parseQuery("/engine.io/#?a=1") }, {});
  });

  it("has the last of several values", () => {
    assert.deepEqual({ ...parseQuery("/?a=1&a=2") }, { a: "2" });
  });

  it("has no names but those given", () => {
    const query = parseQuery("/?__proto__=x&a");
    assert.deepEqual(Object.keys(query), ["__proto__", "a"]);
    assert.equal(query["__proto__"], "x");
    assert.equal(Object.getPrototypeOf(query), Object.prototype);
    assert.equal(({} as Record<string, unknown>)["x"], undefined);
  });

  it("is set on the request once", () => {
    const message: IncomingMessage & { _query?: object } = new IncomingMessage(new Socket());
    const head = new ParsedHead("GET", "/?a=1", {}, "", false);
    const source: RequestSource = { head, message };
    assert.equal(toIncomingMessage(source), message);
    const first = message._query;
    assert.deepEqual({ ...first }, { a: "1" });
    toIncomingMessage(source);
    assert.equal(message._query, first);
  });
});
