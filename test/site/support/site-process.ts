import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const FROM_SOURCE = ["--conditions=@tidewire/source", "--import", "tsx/esm"];
const LISTENING = /at (http:\/\/localhost:\d+)/;

function program(name: string): string {
  return fileURLToPath(new URL(`../../../docs/site/${name}`, import.meta.url));
}

/** Builds the site, unless it is up to date. Rejects with what is wrong. */
export async function buildSite(): Promise<void> {
  const args = ["--import", "tsx/esm", program("build.ts"), "--if-stale"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`The site was not built:\n${output}`);
}

export type SiteHost = "uws" | "node";

/** The site with its demo, as `npm run docs` serves it. */
export interface SiteProcess {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startSite(host: SiteHost): Promise<SiteProcess> {
  const env = { ...process.env, PORT: "0", HOST: host };
  const child = spawn(process.execPath, [...FROM_SOURCE, program("serve.ts")], { env });
  const closed = once(child, "close");
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const found = LISTENING.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    });
    void closed.then(() => reject(new Error(`The site ended:\n${output}`)));
  });
  return {
    url,
    async stop() {
      child.kill();
      await closed;
    },
  };
}
