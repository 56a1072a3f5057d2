// npm start: builds what is missing or stale, then starts the chat.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const stale = readdirSync(join(root, "packages")).filter(needsBuild);
if (stale.length > 0) build();
await import("../examples/chat/server.js");

function needsBuild(name) {
  const folder = join(root, "packages", name);
  const built = Math.min(...modifiedTimes(join(folder, "dist")));
  // Math.min() of nothing is Infinity: nothing built is older than everything.
  if (built === Infinity) return true;
  return Math.max(...modifiedTimes(join(folder, "src")), modified(join(folder, "package.json"))) > built;
}

function modifiedTimes(folder) {
  try {
    const files = readdirSync(folder, { withFileTypes: true, recursive: true });
    return files
      .filter((file) => file.isFile())
      .map((file) => modified(join(file.parentPath ?? file.path, file.name)));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function build() {
  console.log(`Building ${stale.map((name) => `@tidewire/${name}`).join(", ")}`);
  const turbo = ["turbo", "run", "build", "--output-logs=errors-only"];
  const { status, stdout, stderr, error } = spawnSync("npx", turbo, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (status === 0) return;
  console.error(`The build failed.\n${stdout ?? ""}${stderr ?? error?.message ?? ""}`);
  process.exit(1);
}
