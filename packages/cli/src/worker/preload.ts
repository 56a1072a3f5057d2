// Loaded in each worker before the application's script, by an argument of node.
import { isMainThread } from "node:worker_threads";
import { SETTINGS, readSettings } from "./settings.ts";
import { SupervisedWorker } from "./supervised-worker.ts";

const given = process.env[SETTINGS];
// Threads of the application load this, too.
if (given !== undefined && isMainThread) {
  const settings = readSettings(given);
  // Processes that the application forks are no workers.
  delete process.env[SETTINGS];
  process.execArgv.length -= settings.preload.length;
  new SupervisedWorker(settings).install();
}
