// Starts Redis, three processes and nginx in front of them, and ends them together. PORT sets nginx's port (3000).
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const port = Number(process.env.PORT || 3000);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "harbour-"));
/** What runs, in the order in which it was started. */
const programs = [];
let isEnding = false;
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);

const redisPort = await freePort();
run("redis-server", ["--port", redisPort, "--bind", "127.0.0.1", "--save", "", "--dir", folder]);

const secret = randomBytes(32).toString("base64");
const names = ["north", "east", "west"];
const ports = await Promise.all(names.map(freePort));
names.forEach((name, index) => {
  mkdirSync(join(folder, name), { mode: 0o700 });
  run(process.execPath, [path("server.js")], {
    NAME: name,
    PORT: ports[index],
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    TIDEWIRE_SECRET: secret,
    DIRECTORY: join(folder, name),
  });
});
await Promise.all(ports.map(listens));
if (!isEnding) await startNginx();
if (!isEnding) console.log(`The harbour is at http://localhost:${port}: ${names.join(", ")}`);

function startNginx() {
  const servers = ports.map((each) => `server 127.0.0.1:${each};`).join(" ");
  const configuration = readFileSync(path("nginx.conf"), "utf8")
    .replaceAll("FOLDER", folder)
    .replaceAll("PORT", port)
    .replaceAll("SERVERS", servers);
  writeFileSync(join(folder, "nginx.conf"), configuration);
  run("nginx", ["-e", "stderr", "-c", join(folder, "nginx.conf")]);
  return listens(port);
}

/** Runs a program until all end. */
function run(program, args, env = {}) {
  const child = spawn(program, args.map(String), {
    stdio: ["ignore", program === "redis-server" ? "ignore" : "inherit", "inherit"],
    // Debian keeps nginx off the path of ordinary users.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, ...env },
    // A terminal's Ctrl-C is for this process alone.
    detached: true,
  });
  programs.push(child);
  child.once("error", () => fail(`${program} does not start. On Debian: apt-get install redis-server nginx`));
  child.once("exit", () => fail(`${program} has ended`));
}

function fail(reason) {
  if (isEnding) return;
  console.error(reason);
  process.exitCode = 1;
  void end();
}

/** The last one first: no request must reach a process that has ended, and the processes say goodbye in Redis. */
async function end() {
  isEnding = true;
  for (const child of programs.toReversed()) {
    if (child.exitCode === null && child.kill()) await once(child, "exit");
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Waits until somebody answers on a port. */
async function listens(port) {
  const answer = () => fetch(`http://127.0.0.1:${port}/socket.io/socket.io.js`, { method: "HEAD" });
  while (!isEnding && !(await answer().catch(() => undefined))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
