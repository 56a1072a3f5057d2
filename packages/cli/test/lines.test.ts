import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { copyLines } from "../src/supervisor/lines.ts";

describe("the lines of a worker", () => {
  it("get its number, however they are cut, and the last one an end", async () => {
    const [source, target] = [new PassThrough(), new PassThrough()];
    copyLines(source, target, "[1] ");
    const text = Buffer.from("one\ntwö\n\nthree");
    for (const byte of text) source.write(Buffer.from([byte]));
    source.end();
    await once(source, "end");
    await new Promise(setImmediate);
    assert.equal(String(target.read()), "[1] one\n[1] twö\n[1] \n[1] three\n");
  });

  it("wait in the worker while they cannot be printed", async () => {
    const printed: string[] = [];
    let goOn: () => void = () => {};
    const target = new Writable({
      highWaterMark: 1,
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        printed.push(chunk);
        goOn = done;
      },
    });
    const source = new PassThrough();
    copyLines(source, target, "");
    source.write("one\n");
    await new Promise(setImmediate);
    assert.equal(source.isPaused(), true);
    source.write("two\n");
    await new Promise(setImmediate);
    assert.deepEqual(printed, ["one\n"]);
    goOn();
    await new Promise(setImmediate);
    assert.deepEqual(printed, ["one\n", "two\n"]);
  });
});
