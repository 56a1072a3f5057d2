// Proxies as they are published, in the foreground, each with a configuration of its own.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../hosts/free-port.ts";
import { PATIENCE } from "../waiting/queue.ts";

export interface RunningProxy extends AsyncDisposable {
  readonly port: number;
  /** Where its files are. */
  readonly folder: string;
  stop(): Promise<void>;
  /** Gives it another configuration. Connections go on. */
  reload(configure: (port: number, folder: string) => string): void;
}

/**
 * Runs a proxy on a free port, in the foreground, with its files in a temporary folder.
 *
 * @param status - what it answers to a request for the client, once it runs
 * @param end - what ends it together with its children, if it has some
 */
export async function startProxy(
  program: string,
  run: (file: string) => string[],
  configure: (port: number, folder: string) => string,
  status = 200,
  end: NodeJS.Signals = "SIGKILL",
): Promise<RunningProxy> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tidewire-proxy-"));
  const file = join(folder, "conf");
  writeFileSync(file, configure(port, folder));
  // Caddy keeps its configuration in the folders of the user.
  const env = { ...process.env, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  const child = spawn(program, run(file), { env, stdio: ["ignore", "inherit", "pipe"] });
  const kill = (): unknown => child.kill(end);
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(child, port, status);
    const reload: RunningProxy["reload"] = (configureAgain) => {
      writeFileSync(file, configureAgain(port, folder));
      child.kill("SIGHUP");
    };
    return { port, folder, stop, reload, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the proxy passes requests on. */
async function answering(child: ChildProcess, port: number, status: number): Promise<void> {
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const end = Date.now() + PATIENCE;
  while (!(await isAnswered(port, status))) {
    assert.equal(child.exitCode, null, `the proxy ended: ${output}`);
    assert.ok(Date.now() < end, `the proxy does not answer: ${output}`);
    await delay(20);
  }
}

async function isAnswered(port: number, status: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/socket.io/socket.io.js`).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === status;
}
