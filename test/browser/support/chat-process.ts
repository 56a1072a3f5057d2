import { spawn, type ChildProcess } from "node:child_process";
import { bundled } from "../../support/process/bundled.ts";
import { PATIENCE } from "../../support/waiting/queue.ts";

const [SERVER = ""] = await bundled(new URL("../../../examples/chat/server.js", import.meta.url));
const LISTENING = /at http:\/\/localhost:(\d+) \(on (.+)\)/;

export type ChatHost = "uws" | "node";

/** How a run that came to its end went. */
export interface Ended {
  code: number | null;
  /** The signal that ended it, when it did not end by itself. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The chat of examples/chat in a process of its own, from source. */
export interface ChatProcess {
  readonly port: number;
  /** As it calls itself: uWebSockets.js or node:http. */
  readonly host: string;
  /** Sends the signal and waits for the end; a process that does not end by itself is killed. */
  stop(signal?: "SIGTERM" | "SIGINT"): Promise<Ended>;
}

/** Starts the chat; rejects with what it wrote when it ends instead of listening. */
export async function startChat(host: ChatHost, port: number = 0): Promise<ChatProcess> {
  const { child, ended, listening } = run({ HOST: host, PORT: String(port) });
  const started = await Promise.race([listening, ended]);
  if ("code" in started) throw new Error(`The chat ended with ${started.code}: ${started.stderr}`);
  return { ...started, stop: (signal = "SIGTERM") => stop(child, ended, signal) };
}

/** Runs the chat where it is expected to end by itself. */
export async function runChat(env: Record<string, string>): Promise<Ended> {
  const { child, ended, listening } = run(env);
  const first = await Promise.race([listening, ended]);
  if ("code" in first) return first;
  await stop(child, ended, "SIGTERM");
  throw new Error(`The chat listens on port ${first.port}`);
}

function run(env: Record<string, string>): {
  child: ChildProcess;
  ended: Promise<Ended>;
  listening: Promise<{ port: number; host: string }>;
} {
  const child = spawn(process.execPath, [SERVER], { env: { ...process.env, ...env } });
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const listening = new Promise<{ port: number; host: string }>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const found = LISTENING.exec(stdout);
      if (found) resolve({ port: Number(found[1]), host: found[2]! });
    });
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, listening };
}

async function stop(child: ChildProcess, ended: Promise<Ended>, signal: NodeJS.Signals): Promise<Ended> {
  child.kill(signal);
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const result = await ended;
  clearTimeout(patience);
  return result;
}
