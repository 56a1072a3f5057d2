// What the tests run on or with that must not stand in the path of the workspace, for its commands are called `node` and `tsc`:
// other versions of Node, and the compiler that still knows `moduleResolution: node10`. They have a package.json of their own.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("tools/", import.meta.url));

/** The compiler of TypeScript 5, once it is installed. */
export const oldTsc = `${folder}node_modules/typescript/bin/tsc`;

/** The path of Node in this major version: 22 or 24; undefined if it is not installed, or not made for this machine. */
export function findNode(major) {
  const own = process.versions.node.split(".")[0];
  if (String(major) === own) return process.execPath;
  const path = `${folder}node_modules/node-${major}-${process.platform}-${process.arch}/bin/node`;
  return existsSync(path) ? path : undefined;
}

/** The folder, if what its lock names for this machine is installed; undefined otherwise. */
export function findTools() {
  const [wanted, installed] = ["package-lock.json", "node_modules/.package-lock.json"].map(packagesOf);
  const isInstalled = Object.entries(wanted).every(([path, { version, optional }]) =>
    path === "" || (optional && !installed[path]) ? true : installed[path]?.version === version,
  );
  return isInstalled && Object.keys(installed).length > 0 ? folder : undefined;
}

/** Installs them. Returns why that was not possible, or undefined. */
export function installTools() {
  console.log("Installing what scripts/tools/package-lock.json names");
  const { status, stdout, stderr, error } = spawnSync("npm", ["ci"], {
    cwd: folder,
    encoding: "utf8",
    // npm tells its scripts where it works; this is elsewhere.
    env: { ...process.env, npm_config_local_prefix: folder },
  });
  return status === 0 ? undefined : `npm ci in scripts/tools failed\n${stdout ?? ""}${stderr ?? error}`;
}

function packagesOf(lock) {
  const path = folder + lock;
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).packages : {};
}
