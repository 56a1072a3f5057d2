// Pins the server and the load generator to a core each, with `taskset` of util-linux.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Expands a list of cores in the format of Linux: "0-2,5". */
function parseCores(list) {
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last)) throw new Error(`not a list of cores: ${list}`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Two cores that this process may use, preferably not threads of one core. */
function chooseTwo() {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const cores = parseCores(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "");
    const topology = `/sys/devices/system/cpu/cpu${cores[0]}/topology/thread_siblings_list`;
    const taken = parseCores(readFileSync(topology, "utf8").trim());
    return [cores[0], cores.find((core) => !taken.includes(core)) ?? cores[1]];
  } catch {
    return [];
  }
}

/**
 * Chooses the two cores and moves this process, the load generator, to its own.
 *
 * @param wanted "server,generator"; undefined chooses two
 * @returns the server's core, if pinning works, and a note for the report
 */
export function placeGenerator(wanted) {
  const [server, generator] = wanted === undefined ? chooseTwo() : parseCores(wanted);
  const unpinned = (why) => ({ server: undefined, note: `not pinned: ${why}` });
  if (generator === undefined) return unpinned("two cores were not found");
  const args = ["-a", "-p", "-c", String(generator), String(process.pid)];
  const { error, status, stderr } = spawnSync("taskset", args, { encoding: "utf8" });
  if (error) return unpinned("taskset (util-linux) is missing");
  if (status !== 0) return unpinned(stderr.trim());
  return { server, note: `server pinned to core ${server}, load generator to core ${generator}` };
}
