import assert from "node:assert/strict";
import { Sequences } from "../../src/broadcasting/sequences.ts";

const epoch = 1;

describe("sequences of publications", () => {
  it("begin anywhere, for a node may join late", () => {
    assert.equal(new Sequences().accept("A", { epoch, seq: 42 }), 0);
  });

  it("count up by one for each publisher", () => {
    const sequences = new Sequences();
    for (let seq = 1; seq < 4; seq++) {
      assert.equal(sequences.accept("A", { epoch, seq }), 0);
      assert.equal(sequences.accept("B", { epoch, seq: seq + 10 }), 0);
    }
  });

  it("drop what has arrived, and what comes too late", () => {
    const sequences = new Sequences();
    const accepted = [1, 1, 2, 5, 3, 5, 6].map((seq) => sequences.accept("A", { epoch, seq }));
    assert.deepEqual(accepted, [0, undefined, 0, 2, undefined, undefined, 0]);
  });

  it("begin anew with another epoch", () => {
    const sequences = new Sequences();
    sequences.accept("A", { epoch, seq: 10 });
    assert.equal(sequences.accept("A", { epoch: 2, seq: 1 }), 0);
    assert.equal(sequences.accept("A", { epoch: 2, seq: 3 }), 1);
  });

  it("remember the thousand publishers that came last", () => {
    const sequences = new Sequences();
    for (let n = 0; n < 1001; n++) sequences.accept(`${n}`, { epoch, seq: 1 });
    assert.equal(sequences.accept("1000", { epoch, seq: 3 }), 1);
    assert.equal(sequences.accept("0", { epoch, seq: 3 }), 0);
  });

  it("remember one that goes on publishing, however many come and go", () => {
    const sequences = new Sequences();
    let seq = 0;
    for (let count = 0; count < 3000; count++) {
      assert.equal(sequences.accept("AAAA", { epoch: 1, seq: ++seq }), 0);
      sequences.accept(`n${count}`, { epoch: 1, seq: 1 });
    }
    assert.equal(sequences.accept("AAAA", { epoch: 1, seq: seq + 3 }), 2);
    assert.equal(sequences.accept("AAAA", { epoch: 1, seq: 1 }), undefined);
  });
});
