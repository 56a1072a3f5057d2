// The load generator's end of a server process. Every process started here is killed by its own id when it is
// stopped, and at the latest when this process exits.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { pinned } from "./cores.mjs";

/** @typedef {import("../types.d.ts").ServerHandle} ServerHandle */

const START_TIMEOUT = 20_000;
const CALL_TIMEOUT = 60_000;
const script = fileURLToPath(new URL("server-process.mjs", import.meta.url));

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The server could not be started at all, as opposed to having failed in its work. */
export class NotAvailable extends Error {}

/** @implements {ServerHandle} */
class ServerProcess {
  port = 0;
  /** @type {import("node:child_process").ChildProcess} */
  #child;
  #nextId = 1;
  /** @type {Map<number, { resolve(value: unknown): void, reject(error: Error): void }>} */
  #calls = new Map();
  #output = "";
  #graceful;
  /** @type {Promise<void>} */
  ready;

  /**
   * @param {import("node:child_process").ChildProcess} child
   * @param {boolean} graceful whether it must end by itself, to write its CPU profile
   */
  constructor(child, graceful) {
    this.#child = child;
    this.#graceful = graceful;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        this.#output = (this.#output + text).slice(-2000);
      });
    }
    this.ready = this.#listen();
  }

  /** @returns {Promise<void>} */
  #listen() {
    const child = this.#child;
    child.once("exit", () => running.delete(child));
    return new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ message) => {
        clearTimeout(late);
        reject(new NotAvailable(message));
        for (const call of this.#calls.values()) call.reject(new Error(message));
        this.#calls.clear();
      };
      const late = setTimeout(() => fail("did not start in time"), START_TIMEOUT);
      child.once("error", (error) => {
        if (child.pid === undefined) running.delete(child);
        fail(error.message);
      });
      // After "exit", when its last words have been read.
      child.once("close", () => fail(this.#epitaph()));
      child.on("message", (/** @type {any} */ message) => {
        if (message.id !== undefined) this.#answer(message);
        else if (message.failed !== undefined) fail(message.failed);
        else {
          clearTimeout(late);
          this.port = message.ready;
          resolve();
        }
      });
    });
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** @type {ServerHandle["call"]} */
  call(action, ...args) {
    if (!this.#child.connected) return Promise.reject(new Error(this.#epitaph()));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#calls.delete(id);
        reject(new Error(`the server did not answer "${action}"`));
      }, CALL_TIMEOUT);
      const settle = (/** @type {() => void} */ settled) => {
        clearTimeout(late);
        settled();
      };
      this.#calls.set(id, {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
      });
      this.#send({ id, action, args });
    });
  }

  /** @type {ServerHandle["notify"]} */
  notify(action, ...args) {
    this.#send({ action, args });
  }

  async memory() {
    /** @type {any} */
    const use = await this.call("memory");
    return { rss: Number(use.rss), heap: Number(use.heap) };
  }

  /** @type {ServerHandle["cpuDuring"]} */
  async cpuDuring(work) {
    await this.call("cpuStart");
    await work();
    return Number(await this.call("cpuStop"));
  }

  /** @type {ServerHandle["loopDelayDuring"]} */
  async loopDelayDuring(work) {
    await this.call("loopDelayStart");
    await work();
    /** @type {any} */
    const delay = await this.call("loopDelayStop");
    return delay ?? undefined;
  }

  /**
   * Why the process ended, if it did or is just about to: a load generator notices that its connections are gone
   * before the reason for it is known.
   *
   * @returns {Promise<string | undefined>}
   */
  async obituary() {
    for (let i = 0; i < 20 && running.has(this.#child); i++) await sleep(10);
    return running.has(this.#child) ? undefined : this.#epitaph();
  }

  async stop() {
    const child = this.#child;
    if (!running.has(child)) return;
    const exited = once(child, "exit");
    if (this.#graceful) child.disconnect();
    else child.kill("SIGKILL");
    const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(late);
  }

  /** @param {object} message */
  #send(message) {
    // When a server is gone, its calls are rejected by its end.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** @param {{ id: number, value?: unknown, error?: string }} answer */
  #answer({ id, value, error }) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
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
 * @param {import("../types.d.ts").Variant} variant
 * @param {string} url of the variant's file
 * @param {{ core: number | undefined, profileDir: string | undefined, workload: import("../types.d.ts").Workload }} options
 * @returns {Promise<ServerProcess>}
 * @throws {NotAvailable}
 */
export async function startServer(variant, url, { core, profileDir, workload }) {
  const args = ["--expose-gc", ...(workload.nodeArgs ?? [])];
  if (profileDir !== undefined) args.push("--cpu-prof", `--cpu-prof-dir=${profileDir}`);
  const command = [variant.command ?? process.execPath, ...(variant.commandArgs ?? args), script, url];
  command.push(JSON.stringify(workload.serverOptions ?? {}));
  // Conditions or loaders meant for the tests would make it run the sources.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const [file = "", ...rest] = pinned(command, core);
  const child = spawn(file, rest, {
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
