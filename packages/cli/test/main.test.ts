import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import type { Command } from "../src/command.ts";
import { main } from "../src/main.ts";
import { UsageError } from "../src/usage-error.ts";

const greet: Command = {
  name: "greet",
  summary: "says hello",
  help: "Usage: tidewire greet <name>\n",
  run([name], { out }) {
    if (name === undefined) return Promise.reject(new UsageError("name somebody to greet"));
    out.write(`hello, ${name}\n`);
    return Promise.resolve(0);
  },
};

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await main(args, [greet], { out, err }, "1.2.3");
  const textOf = (stream: PassThrough): string => String((stream.read() as Buffer | null) ?? "");
  return { code, out: textOf(out), err: textOf(err) };
}

describe("the command line", () => {
  it("runs a command with the arguments after its name", async () => {
    assert.deepEqual(await run("greet", "ann"), { code: 0, out: "hello, ann\n", err: "" });
  });

  it("lists the commands without arguments, as an error, and with --help", async () => {
    const { code, out, err } = await run();
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^Usage: tidewire <command> \[options\]\n\nCommands:\n {2}greet {2}says hello\n/);
    for (const args of [["--help"], ["-h"], ["help"]])
      assert.deepEqual(await run(...args), { code: 0, out: err, err: "" });
  });

  it("describes a command with --help before and after its arguments", async () => {
    for (const args of [
      ["greet", "--help"],
      ["greet", "-h"],
      ["greet", "ann", "--help"],
      ["help", "greet"],
    ])
      assert.deepEqual(await run(...args), { code: 0, out: greet.help, err: "" });
  });

  it("leaves what follows -- to the command", async () => {
    assert.deepEqual(await run("greet", "--", "--help"), { code: 0, out: "hello, --\n", err: "" });
  });

  it("prints its version", async () => {
    for (const arg of ["--version", "-v"])
      assert.deepEqual(await run(arg), { code: 0, out: "1.2.3\n", err: "" });
  });

  it("outlives whoever reads what it prints", async () => {
    const gone = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    const [out, err] = [0, 1].map(() => new Writable({ write: (_chunk, _encoding, done) => done(gone) }));
    assert.equal(await main(["greet", "ann"], [greet], { out: out!, err: err! }, "1.2.3"), 0);
    await new Promise(setImmediate);
    assert.ok(out!.destroyed);
  });

  it("names a command that does not exist, and those that do", async () => {
    const { code, out, err } = await run("grete");
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^tidewire: there is no command "grete"\n\nUsage: /);
  });

  it("says what is wrong with the arguments of a command, and where to look", async () => {
    const err = "tidewire greet: name somebody to greet\nSee tidewire greet --help.\n";
    assert.deepEqual(await run("greet"), { code: 2, out: "", err });
  });
});
