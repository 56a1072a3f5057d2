// The packages of this repository are measured as they are published: built.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../..", import.meta.url);
const packages = ["parser", "engine", "server"];

/** When the newest file in a folder was written, in ms; 0 if there is none. @param {URL} folder */
function newest(folder) {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    return Math.max(0, ...names.map((name) => statSync(new URL(encodeURI(name), folder)).mtimeMs));
  } catch {
    return 0;
  }
}

function isBuilt() {
  return packages.every((name) => {
    const folder = new URL(`packages/${name}/`, root);
    const built = newest(new URL("dist/", folder));
    return built > 0 && built >= newest(new URL("src/", folder));
  });
}

/**
 * Builds the packages whose dist/ is missing or older than the sources. Whatever fails here shows again, with its
 * reason, when the variant starts.
 *
 * @param {(text: string) => void} log
 */
export function buildIfNeeded(log) {
  if (isBuilt()) return;
  log("building the packages");
  const { status, error } = spawnSync("npx", ["turbo", "run", "build", "--output-logs=errors-only"], {
    cwd: fileURLToPath(root),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error || status !== 0) log(`the build failed${error ? `: ${error.message}` : ""}`);
}
