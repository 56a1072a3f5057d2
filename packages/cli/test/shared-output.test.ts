import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { SharedOutput } from "../src/supervisor/shared-output.ts";

describe("the lines of a worker", () => {
  it("get its number, however they are cut, and the last one an end", async () => {
    const [source, target] = [new PassThrough(), new PassThrough()];
    new SharedOutput(target).copy(source, "[1] ");
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
    new SharedOutput(target).copy(source, "");
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

  it("are printed in parts if they never end", async () => {
    const [source, target] = [new PassThrough(), new PassThrough()];
    new SharedOutput(target).copy(source, "[1] ");
    const dots = ".".repeat(40_000);
    source.write(dots);
    source.write(dots);
    await new Promise(setImmediate);
    assert.equal(String(target.read()), `[1] ${dots}${dots}\n`);
    source.end("end\n");
    await once(source, "end");
    assert.equal(String(target.read()), "[1] end\n");
  });

  it("are lost once nobody reads them, and the worker goes on", async () => {
    const fail: ((error: Error) => void)[] = [];
    const target = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => fail.push(done) });
    const source = new PassThrough();
    new SharedOutput(target).copy(source, "");
    source.write("one\n");
    await new Promise(setImmediate);
    assert.equal(source.isPaused(), true);
    fail[0]!(new Error("EPIPE"));
    await new Promise(setImmediate);
    source.end("two\nthree");
    await once(source, "end");
    assert.equal(fail.length, 1);
  });

  it("of many workers wait with one listener", async () => {
    const waiting: (() => void)[] = [];
    const target = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => waiting.push(done) });
    const output = new SharedOutput(target);
    const sources = Array.from({ length: 20 }, () => new PassThrough());
    for (const source of sources) {
      output.copy(source, "");
      source.write("line\n");
    }
    await new Promise(setImmediate);
    assert.ok(sources.every((source) => source.isPaused()));
    assert.equal(target.listenerCount("drain"), 1);
    while (waiting.length > 0) {
      waiting.shift()!();
      await new Promise(setImmediate);
    }
    assert.ok(sources.every((source) => !source.isPaused()));
  });
});
