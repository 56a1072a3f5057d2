import assert from "node:assert/strict";
import { ParseError } from "@tidewire/parser";

describe("ParseError", () => {
  it("is an Error with a name, a code and the text of the code", () => {
    const error = new ParseError("TOO_MANY_ATTACHMENTS");
    assert.ok(error instanceof Error);
    assert.equal(error.name, "ParseError");
    assert.equal(error.code, "TOO_MANY_ATTACHMENTS");
    assert.equal(error.message, "too many attachments");
    assert.equal(String(error), "ParseError: too many attachments");
  });

  it("appends the value that a text ends in", () => {
    assert.equal(new ParseError("UNKNOWN_PACKET_TYPE", "7").message, "unknown packet type 7");
  });
});
