// npm start: builds what is missing or stale, then starts the chat; `npm start express` starts another example.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

// Tests start several examples at once, and have built the packages.
const stale = process.env.PACKAGES_BUILT ? [] : readdirSync(join(root, "packages")).filter(needsBuild);
if (stale.length > 0) build();
const [example = "chat"] = process.argv.slice(2);
if (example === "chat") {
  await import("../examples/chat/server.js");
  console.log("The documentation, with a live demo: npm run docs");
} else {
  start(example);
}

/** Runs the start script of an example in its folder. */
function start(name) {
  const folder = join(root, "examples", name);
  if (!existsSync(join(folder, "package.json"))) {
    const names = readdirSync(join(folder, "..")).filter((each) =>
      existsSync(join(folder, "..", each, "package.json")),
    );
    console.error(`There is no example ${name}. There are ${names.join(", ")}.`);
    process.exit(1);
  }
  // One whose dependencies are too heavy for everybody has a lock of its own.
  if (existsSync(join(folder, "package-lock.json")) && !existsSync(join(folder, "node_modules"))) {
    console.log(`Installing the dependencies of ${name}`);
    const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
    if (status !== 0) process.exit(1);
  }
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const child = spawn(scripts.start, { cwd: folder, shell: true, stdio: "inherit" });
  // A terminal sends it to both.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill());
  child.once("exit", (code) => process.exit(code ?? 1));
}

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
