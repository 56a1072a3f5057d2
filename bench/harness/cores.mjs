// One core for the server, another for the load generator, by `taskset` of util-linux.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Cores
 * @property {number | undefined} server
 * @property {number | undefined} generator
 * @property {string} note how the two are placed, or why they are not
 */

/**
 * Expands a list of cores as Linux writes it: "0-2,5".
 *
 * @param {string} list
 * @returns {number[]}
 */
export function parseCores(list) {
  return list
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number);
      if (!Number.isInteger(first) || !Number.isInteger(last))
        throw new Error(`not a list of cores: ${list}`);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** The cores this process may use, or none when the system does not tell. */
function allowedCores() {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return parseCores(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "");
  } catch {
    return [];
  }
}

/** @param {number} core */
function siblings(core) {
  try {
    return parseCores(
      readFileSync(`/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`, "utf8"),
    );
  } catch {
    return [core];
  }
}

/** @param {string} why */
const unpinned = (why) => ({ server: undefined, generator: undefined, note: `not pinned: ${why}` });

/**
 * Chooses the two cores and moves this process, the load generator, to its own.
 *
 * @param {string | undefined} wanted "server,generator"; by default two that are not threads of one core
 * @returns {Cores}
 */
export function placeGenerator(wanted) {
  const [server, generator] = wanted === undefined ? chooseTwo(allowedCores()) : parseCores(wanted);
  if (server === undefined || generator === undefined) return unpinned("fewer than two cores");
  const { error, status, stderr } = spawnSync("taskset", [
    "-a",
    "-p",
    "-c",
    String(generator),
    String(process.pid),
  ]);
  if (error) return unpinned("taskset (util-linux) is missing");
  if (status !== 0) return unpinned(String(stderr).trim());
  const note = `server pinned to core ${server}, load generator to core ${generator}`;
  return { server, generator, note };
}

/** @param {number[]} cores */
function chooseTwo(cores) {
  const [first] = cores;
  if (first === undefined) return [];
  const taken = siblings(first);
  return [first, cores.find((core) => !taken.includes(core)) ?? cores[1]];
}

/**
 * The command line that runs another one on a core.
 *
 * @param {string[]} command
 * @param {number | undefined} core
 * @returns {string[]}
 */
export function pinned(command, core) {
  return core === undefined ? command : ["taskset", "-c", String(core), ...command];
}
