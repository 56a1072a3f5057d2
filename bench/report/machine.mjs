// Describes the machine and the versions of a run.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import { findRedis } from "../../scripts/setup.mjs";
import { peerFile } from "../harness/peers.mjs";

const require = createRequire(import.meta.url);

/** @param path of a package.json */
function versionIn(path) {
  try {
    return String(JSON.parse(readFileSync(path, "utf8")).version);
  } catch {
    return undefined;
  }
}

function versionOf(name) {
  const paths = require.resolve.paths(name) ?? [];
  for (const path of paths) {
    const version = versionIn(`${path}/${name}/package.json`);
    if (version !== undefined) return version;
  }
  return undefined;
}

/** The measured commit, and whether files have changed since. */
function commit() {
  const git = (/** @type {string[]} */ ...args) =>
    spawnSync("git", args, { cwd: new URL(".", import.meta.url), encoding: "utf8" }).stdout?.trim();
  const head = git("rev-parse", "--short", "HEAD");
  if (!head) return undefined;
  return git("status", "--porcelain", "--", "../packages") === "" ? head : `${head} and changes`;
}

/** The version of the Redis that the pairs start. */
function redisVersion() {
  const program = findRedis();
  const output = program && spawnSync(program, ["--version"], { encoding: "utf8" }).stdout;
  return /\bv=(\S+)/.exec(output || "")?.[1];
}

/** @param placement the cores of the server and the load generator */
export function describeMachine(placement) {
  const model = os.cpus()[0]?.model ?? process.arch;
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const system = `${os.type()} ${os.release().split("-")[0]}`;
  return `Node ${process.version}, ${model}, ${os.cpus().length} cores, ${memory} GiB, ${system}; ${placement}`;
}

/** @returns the versions of installed packages by name */
export function versions() {
  const found = {
    tidewire: [versionOf("@tidewire/server"), commit()].filter(Boolean).join(", "),
    "socket.io": versionOf("socket.io"),
    "socket.io-adapter": versionOf("socket.io-adapter"),
    "engine.io": versionOf("engine.io"),
    ws: versionOf("ws"),
    "uWebSockets.js (as uws-pack)": versionOf("uWebSockets.js"),
    eiows: versionIn(peerFile("eiows", "eiows/package.json")),
    bun: versionIn(peerFile("bun", "bun/package.json")),
    "@socket.io/bun-engine": versionIn(peerFile("bun", "@socket.io/bun-engine/package.json")),
    "@socket.io/redis-adapter": versionIn(
      peerFile("redis-adapters", "@socket.io/redis-adapter/package.json"),
    ),
    "@socket.io/redis-streams-adapter": versionIn(
      peerFile("redis-adapters", "@socket.io/redis-streams-adapter/package.json"),
    ),
    "redis (client)": versionIn(peerFile("redis-adapters", "redis/package.json")),
    "redis-server": redisVersion(),
  };
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, version]) => (version ? [[name, version]] : [])),
  );
}
