import assert from "node:assert/strict";
import { Roster } from "../src/roster.ts";

const LEASE = 100;

function node(id: string, epoch: string = `epoch-of-${id}`, address: string = `${id}:1`) {
  return { id, epoch, address };
}

describe("a roster", () => {
  let roster: Roster;

  beforeEach(() => {
    roster = new Roster(LEASE);
  });

  it("says whether what it has heard changes anything", () => {
    assert.equal(roster.hear(node("AAAA"), 0), true);
    assert.equal(roster.hear(node("AAAA"), 10), false);
    assert.equal(roster.hear({ ...node("AAAA"), address: "elsewhere:1" }, 20), true);
    assert.deepEqual(roster.nodes(), [{ id: "AAAA", address: "elsewhere:1" }]);
  });

  it("keeps the id of a node that has left until its lease ends", () => {
    roster.hear(node("AAAA"), 0);
    assert.equal(roster.hear({ ...node("AAAA"), address: "" }, 10), true);
    assert.deepEqual(roster.nodes(), []);
    assert.equal(roster.isTaken(node("AAAA", "another")), true);
    assert.equal(roster.isTaken(node("AAAA")), false);
    roster.lapse(109);
    assert.equal(roster.isTaken(node("AAAA", "another")), true);
    roster.lapse(110);
    assert.equal(roster.isTaken(node("AAAA", "another")), false);
  });

  it("does not take an id from a node because another one that had it leaves", () => {
    roster.hear(node("AAAA"), 0);
    assert.equal(roster.hear(node("AAAA", "another", ""), 10), false);
    assert.deepEqual(roster.nodes(), [{ id: "AAAA", address: "AAAA:1" }]);
  });

  it("learns from others no more than they have heard lately", () => {
    roster.hear(node("AAAA"), 1000);
    assert.equal(roster.learn({ ...node("AAAA"), address: "old:1", age: 50 }, 1010), false);
    assert.equal(roster.learn({ ...node("BBBB"), age: 100 }, 1010), false);
    assert.equal(roster.learn({ ...node("BBBB"), age: 99 }, 1010), true);
    roster.lapse(1011);
    assert.deepEqual(roster.nodes(), [{ id: "AAAA", address: "AAAA:1" }]);
  });

  it("does not let a node come back by hearsay", () => {
    roster.hear({ ...node("AAAA"), address: "" }, 0);
    assert.equal(roster.learn({ ...node("AAAA"), age: 0 }, 10), false);
    assert.equal(roster.hear(node("AAAA"), 20), true);
  });

  it("tells another node how long ago it has heard of each, of those that have left, too", () => {
    roster.hear(node("AAAA"), 0);
    roster.hear({ ...node("BBBB"), address: "" }, 20);
    assert.deepEqual(roster.acquaintances(30), [
      { ...node("AAAA"), age: 30 },
      { ...node("BBBB"), address: "", age: 10 },
    ]);
  });

  it("begins all leases anew after a time in which nobody could be heard", () => {
    roster.hear(node("AAAA"), 0);
    roster.renewAll(1000);
    roster.lapse(1099);
    assert.equal(roster.nodes().length, 1);
    roster.lapse(1100);
    assert.equal(roster.nodes().length, 0);
  });
});
