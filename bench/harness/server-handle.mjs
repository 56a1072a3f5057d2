// Starts and controls server processes. Each is killed by its own id when it is stopped, and at the latest when this process
// exits.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { spinDuring } from "./spin.mjs";

const START_TIMEOUT = 20_000;
const CALL_TIMEOUT = 60_000;
const script = fileURLToPath(new URL("server-process.mjs", import.meta.url));

const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The server could not start, as opposed to failing later. */
export class NotAvailable extends Error {}

/** The server process as a workload sees it. */
export class ServerProcess {
  port = 0;
  /** Pending calls by id. */
  #calls = new Map();
  #nextId = 1;
  #output = "";
  #child;
  #graceful;
  #hasEnded = false;

  /** @param graceful whether it must exit by itself, to write its CPU profile */
  constructor(child, graceful) {
    this.#child = child;
    this.#graceful = graceful;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.#output = (this.#output + text).slice(-2000);
      });
    }
    this.ready = this.#call("ready", START_TIMEOUT).then(
      (port) => (this.port = Number(port)),
      (error) => Promise.reject(new NotAvailable(error.message)),
    );
    child.on("message", ({ id, value, error }) => {
      const call = this.#calls.get(id);
      if (error === undefined) call?.resolve(value);
      else call?.reject(new Error(error));
    });
    child.once("error", (error) => this.#end(error.message));
    // Comes after "exit", when all output has been read.
    child.once("close", () => this.#end(this.#epitaph()));
  }

  #end(reason) {
    this.#hasEnded = true;
    running.delete(this.#child);
    for (const call of this.#calls.values()) call.reject(new Error(reason));
  }

  #call(id, patience, message = {}) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the server did not answer in time")), patience);
      this.#calls.set(id, { resolve, reject, late });
      if ("action" in message) this.#send({ id, ...message });
    }).finally(() => {
      clearTimeout(this.#calls.get(id).late);
      this.#calls.delete(id);
    });
  }

  /** Calls an action and waits for its result. @returns {Promise<any>} */
  async call(action, ...args) {
    if (!this.#child.connected) throw new Error(this.#epitaph());
    return this.#call(this.#nextId++, CALL_TIMEOUT, { action, args });
  }

  /** Calls an action without waiting, which is cheapest for the server. */
  notify(action, ...args) {
    this.#send({ action, args });
  }

  #send(message) {
    // When a server ends, its pending calls are rejected.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Collects garbage in the server process, then reads its memory: `rss` and `heap`, in bytes. */
  memory() {
    return this.call("memory");
  }

  /** CPU time of the server process, user and system, in µs, while `work` runs. The load generator does not sleep meanwhile. */
  async cpuDuring(work) {
    await this.call("cpuStart");
    await spinDuring(work);
    return this.call("cpuStop");
  }

  /** The delay of the server's event loop while `work` runs, in ms; undefined if the runtime does not measure it. */
  async loopDelayDuring(work) {
    await this.call("loopDelayStart");
    await work();
    return this.call("loopDelayStop");
  }

  /**
   * Why the process ended, if it did or is about to. Lost connections are noticed before the reason is known.
   */
  async obituary() {
    for (let i = 0; i < 20 && !this.#hasEnded; i++) await sleep(10);
    return this.#hasEnded ? this.#epitaph() : undefined;
  }

  async stop() {
    const child = this.#child;
    if (this.#hasEnded) return;
    // Not "close", which may not come after disconnect().
    const exited = once(child, "exit");
    if (this.#graceful) child.disconnect();
    else child.kill("SIGKILL");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(late);
    running.delete(child);
  }

  #epitaph() {
    const { exitCode, signalCode } = this.#child;
    const last = this.#output.trim().split("\n").slice(-12).join("\n");
    return `the server process ended (${signalCode ?? exitCode})${last === "" ? "" : `: ${last}`}`;
  }
}

/**
 * Starts a server process on its core and waits until it listens.
 *
 * @throws {NotAvailable}
 */
export async function startServer(variant, { core, profileDir, workload }) {
  const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const node = [process.execPath, "--expose-gc", ...(workload.nodeArgs ?? []), ...profile];
  const options = JSON.stringify(workload.serverOptions ?? {});
  const command = [...(variant.command ?? node), script, variant.name, options];
  const [file = "", ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
  // The conditions and loaders of the tests would make it run the sources.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    serialization: "json",
    env: { ...env, NODE_ENV: "production" },
  });
  const server = new ServerProcess(child, profileDir !== undefined);
  try {
    await server.ready;
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
