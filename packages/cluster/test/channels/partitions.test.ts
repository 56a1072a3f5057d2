import assert from "node:assert/strict";
import { channelOf, channelsOf, EVERYONE, PARTITIONS } from "../../src/channels/partitions.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `room-${n}`);

describe("the channels of rooms", () => {
  it("are partitions, the same on every node, and others in other namespaces", () => {
    assert.equal(channelOf("/", "room-101"), channelOf("/", "room-101"));
    const differing = names(100).filter((name) => channelOf("/", name) !== channelOf("/chat", name));
    assert.ok(differing.length > 90);
    // What one release publishes, the next one must get.
    assert.deepEqual(
      names(3).map((name) => channelOf("/", name)),
      [143, 46, 176],
    );
  });

  it("are used evenly", () => {
    const counts = Array.from({ length: PARTITIONS }, () => 0);
    for (const name of names(PARTITIONS * 100)) counts[channelOf("/", name)]!++;
    assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 150, String(counts));
  });

  it("are that of everyone for rooms that may be the own ones of sockets", () => {
    assert.equal(channelOf("/", "a".repeat(20)), EVERYONE);
    assert.equal(channelOf("/chat", `/chat#${"a".repeat(20)}`), EVERYONE);
    assert.notEqual(channelOf("/", "a".repeat(19)), EVERYONE);
    assert.notEqual(channelOf("/", "a".repeat(21)), EVERYONE);
  });

  it("do not depend on whether a name is a number", () => {
    assert.equal(channelOf("/", 7 as never), channelOf("/", "7"));
  });

  it("are those of a message: each once, or that of everyone in place of many", () => {
    const some = (...rooms: string[]): readonly number[] => channelsOf("/", new Set(rooms));
    assert.deepEqual(some(), [EVERYONE]);
    assert.deepEqual(some("room-0"), [channelOf("/", "room-0")]);
    const both = [channelOf("/", "room-0"), channelOf("/", "room-1")].toSorted((a, b) => a - b);
    assert.deepEqual(some("room-0", "room-1"), both);
    assert.deepEqual(some("room-1", "room-0"), both);
    assert.deepEqual(some("room-0", "a".repeat(20)), [EVERYONE]);
    assert.deepEqual(some(...names(8)), [EVERYONE]);
    assert.deepEqual(some(...names(100)), [EVERYONE]);
    const [first] = names(1);
    const same = names(5000).filter((name) => channelOf("/", name) === channelOf("/", first!));
    assert.deepEqual(some(...same.slice(0, 6)), [channelOf("/", first!)]);
  });
});
