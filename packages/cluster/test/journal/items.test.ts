import assert from "node:assert/strict";
import {
  copyOf,
  isFor,
  PASSING,
  readCast,
  readEvent,
  writeCast,
  writeEvent,
} from "../../src/journal/items.ts";
import { EVENT } from "../../src/journal/journal.ts";

const target = { rooms: new Set<string>(), except: new Set<string>(), flags: {} };

describe("the items of a journal", () => {
  it("carry an event with its rooms and its flags", () => {
    const sent = {
      rooms: new Set(["a", 'a "quoted"\nroom', 7 as never]),
      except: new Set(["b"]),
      flags: { volatile: true, compress: false, conflate: "key" },
    };
    const item = writeEvent(PASSING, sent, ['2["event",1]']);
    assert.equal(item.startsWith("V"), true);
    assert.deepEqual(readEvent(item), { target: sent, parts: ['2["event",1]'] });
  });

  it("carry any text as it is", () => {
    for (const text of ["", "\n", "2/a\nb,[1]", '2["\u{1F600} \u2028 é"]']) {
      const read = readEvent(writeEvent(EVENT, target, [text]));
      assert.deepEqual(read, { target, parts: [text] });
    }
  });

  it("carry attachments, and packets that are bytes", () => {
    for (const parts of [
      ['51-["event",{"_placeholder":true,"num":0}]', Buffer.from([0, 255, 10])],
      [Buffer.from([1, 2, 128])],
    ]) {
      assert.deepEqual(readEvent(writeEvent(EVENT, target, parts)).parts, parts);
    }
  });

  it("carry messages of broadcasting", () => {
    const item = writeCast("AbC-", [Buffer.from([0, 200]), "é"]);
    assert.deepEqual(readCast(item), {
      from: "AbC-",
      payload: Buffer.concat([Buffer.from([0, 200]), Buffer.from("é")]),
    });
  });

  it("report what is malformed", () => {
    assert.throws(() => readEvent("E[[],[],0\n2[]"), { code: "MALFORMED" });
  });

  it("are copied, because the application may write into its buffers", () => {
    const buffer = Buffer.from([1]);
    const [, copy] = copyOf(["text", buffer]);
    buffer[0] = 2;
    assert.deepEqual(copy, Buffer.from([1]));
  });

  it("are for the sockets in one of the rooms, and in none of the excepted", () => {
    const to = (rooms: string[], except: string[], own: string[]): boolean =>
      isFor({ rooms: new Set(rooms), except: new Set(except), flags: {} }, own);
    assert.equal(to([], [], ["id"]), true);
    assert.equal(to(["a"], [], ["id", "a"]), true);
    assert.equal(to(["a"], [], ["id", "b"]), false);
    assert.equal(to([], ["a"], ["id", "a"]), false);
    assert.equal(to(["a", "b"], ["c"], ["id", "b", "c"]), false);
  });
});
