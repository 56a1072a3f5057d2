import assert from "node:assert/strict";
import { formatOffset, parseOffset, receivedBy, unknownOffset } from "../../src/journal/offset.ts";

describe("the offset of a journal", () => {
  it("says what a client has received", () => {
    const offset = formatOffset("ep-och", 123_456, "no_de", 78);
    assert.equal(offset, "ep-och.2n9c.no_de.26");
    assert.deepEqual(parseOffset(offset), { epoch: "ep-och", id: 123_456, publisher: "no_de", seq: 78 });
  });

  it("may say that it is not known", () => {
    assert.deepEqual(parseOffset(unknownOffset("epoch")), { epoch: "epoch" });
    assert.deepEqual(parseOffset(unknownOffset("")), { epoch: "" });
  });

  it("is no other text", () => {
    for (const text of ["", "hello", "a.b", "a.1.b", "a.1.b.2.c", "a.1.b.2 ", "AAAAAAA", "é.1.b.2"]) {
      assert.equal(parseOffset(text), undefined, text);
    }
  });

  const start = formatOffset("e", 10, "A", 3);
  const by = (claimed: string | undefined, from: string = start, home: string = "A"): string => {
    const received = receivedBy(from, claimed, "e", home);
    return received === undefined ? "unknown" : `${received.id} ${received.publisher} ${received.seq}`;
  };

  it("is where the state began, for a client that has received nothing", () => {
    assert.equal(by(undefined), "10 A 3");
  });

  it("is what the client says, if that is later", () => {
    assert.equal(by(formatOffset("e", 11, "B", 1)), "11 B 1");
    assert.equal(by(formatOffset("e", 10, "A", 4)), "10 A 4");
    // A client that was recovered on another node, and has received what that one sent at once.
    assert.equal(by(formatOffset("e", 10, "C", 1), start, "C"), "10 C 1");
  });

  it("is where the state began, if what the client says belongs to an earlier state", () => {
    assert.equal(by(formatOffset("e", 9, "A", 9)), "10 A 3");
    assert.equal(by(formatOffset("e", 10, "A", 2)), "10 A 3");
    assert.equal(by(formatOffset("e", 10, "B", 9)), "10 A 3");
    assert.equal(by(formatOffset("earlier", 99, "A", 9)), "10 A 3");
    assert.equal(by(unknownOffset("earlier")), "10 A 3");
  });

  it("is what the client says, if the state began in another epoch", () => {
    assert.equal(by(formatOffset("e", 2, "A", 9), formatOffset("earlier", 10, "A", 3)), "2 A 9");
    assert.equal(by(formatOffset("e", 2, "A", 9), unknownOffset("e")), "2 A 9");
  });

  it("is unknown otherwise", () => {
    assert.equal(by("hello"), "unknown");
    assert.equal(by(unknownOffset("e")), "unknown");
    assert.equal(by(undefined, formatOffset("earlier", 10, "A", 3)), "unknown");
    assert.equal(by(undefined, unknownOffset("e")), "unknown");
    assert.equal(by(formatOffset("later", 11, "A", 3), formatOffset("earlier", 10, "A", 3)), "unknown");
  });
});
