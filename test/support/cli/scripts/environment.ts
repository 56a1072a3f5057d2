// A script that says what it finds, and that is ready when it says so.
import { fork } from "node:child_process";
import { isMainThread, Worker } from "node:worker_threads";

const isForked = process.argv.includes("forked");
const say = (who: string): void => {
  const isWorker = Reflect.has(globalThis, Symbol.for("tidewire.worker"));
  const environment = Object.keys(process.env).filter((name) => name.startsWith("TIDEWIRE_"));
  const preloads = process.execArgv.filter((arg) => arg.includes("preload"));
  const seen = { isWorker, environment, preloads, args: process.argv.slice(2) };
  process.stdout.write(`${who} ${JSON.stringify(seen)}\n`);
};
say(isForked ? "child" : isMainThread ? "worker" : "thread");
if (!isForked && isMainThread) {
  new Worker(
    'const isWorker = Symbol.for("tidewire.worker") in globalThis; process.stdout.write(`thread ${isWorker}\\n`);',
    { eval: true },
  );
  fork(process.argv[1]!, ["forked"]);
  process.send?.("ready");
}
