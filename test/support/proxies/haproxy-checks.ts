import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** The lines that let HAProxy say what its health checks find, on a socket in its folder. */
export function statsSocket(folder: string): string {
  return `global\n  stats socket ${pathIn(folder)} mode 600 level user\n`;
}

function pathIn(folder: string): string {
  return `${folder}/stats`;
}

/**
 * Waits until the health check of every server has passed.
 *
 * @param patience - in ms
 * @returns the checks by server, such as `L7OK 200`; after the patience, also those that have not passed
 */
export async function passedChecks(folder: string, patience: number): Promise<Record<string, string>> {
  const end = Date.now() + patience;
  for (;;) {
    const checks = await readChecks(folder);
    const hasPassed = Object.values(checks).every((check) => check.startsWith("L7OK"));
    if (hasPassed || Date.now() > end) return checks;
    await delay(20);
  }
}

async function readChecks(folder: string): Promise<Record<string, string>> {
  const rows = (await ask(folder, "show stat")).trim().split("\n");
  const names = rows[0]!.replace("# ", "").split(",");
  const column = (name: string): number => names.indexOf(name);
  const checks: Record<string, string> = {};
  for (const row of rows.slice(1)) {
    const values = row.split(",");
    const server = values[column("svname")]!;
    if (server === "FRONTEND" || server === "BACKEND") continue;
    checks[server] = `${values[column("check_status")]} ${values[column("check_code")]}`;
  }
  return checks;
}

async function ask(folder: string, command: string): Promise<string> {
  const socket = connect(pathIn(folder));
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
  socket.write(`${command}\n`);
  await once(socket, "end");
  return answer;
}
