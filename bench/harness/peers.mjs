// Servers that are too large to install with the repository, or do not install everywhere. servers/peers/<name> has their exact
// versions; the first run that measures them installs them into bench/.peers/<name>.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const INSTALL_TIMEOUT = 180_000;

const folderOf = (name) => new URL(`../.peers/${name}/`, import.meta.url);

/**
 * The URL of a file of a peer's package.
 *
 * @param path below node_modules
 */
export const peerFile = (peer, path) => new URL(`node_modules/${path}`, folderOf(peer));

/** @param output of npm */
function reasonIn(output) {
  const lines = output.split("\n").map((line) => line.replace(/^npm error\s*/, ""));
  return (
    lines.find((line) => /^(fatal|error|gyp ERR|.*E\d{3}|.*\bnot found\b)/i.test(line)) ?? lines[0] ?? ""
  );
}

/**
 * Installs a peer unless it is installed.
 *
 * @returns the reason if that fails
 */
export function providePeer(name, log) {
  const wanted = new URL(`../servers/peers/${name}/package.json`, import.meta.url);
  const folder = folderOf(name);
  const done = new URL("installed.json", folder);
  if (existsSync(done) && readFileSync(done, "utf8") === readFileSync(wanted, "utf8")) return undefined;
  log(`installing ${name} into bench/.peers`);
  rmSync(folder, { recursive: true, force: true });
  cpSync(wanted, new URL("package.json", folder), { recursive: true });
  const args = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  const { error, status, stderr } = spawnSync("npm", args, {
    cwd: fileURLToPath(folder),
    encoding: "utf8",
    timeout: INSTALL_TIMEOUT,
  });
  if (error) return `npm install did not end: ${error.message}`;
  if (status !== 0) {
    log(`npm install of ${name} failed: ${reasonIn(stderr)}`);
    const { needs } = JSON.parse(readFileSync(wanted, "utf8"));
    return `it does not install on this machine${needs === undefined ? "" : ` because it needs ${needs}`}`;
  }
  cpSync(wanted, done);
  return undefined;
}
