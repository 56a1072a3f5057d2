// The application of application/, whose `socket.io` is our server.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Installation } from "../../support/installation.ts";

const source: string = fileURLToPath(new URL("../application/", import.meta.url));

const installation = new Installation({
  source,
  name: "packages",
  aliases: { "socket.io": "server" },
  others: ["cluster", "cluster-redis", "metrics"],
  isLocked: true,
});

/** The version of a published package that the application has. */
export const versionOf = (name: string): string => installation.versionOf(name);

let provided: Promise<string> | undefined;

/** The folder of the application: its programs and node_modules. Installs it once for all tests, unless it is cached. */
export function application(): Promise<string> {
  return (provided ??= provide());
}

async function provide(): Promise<string> {
  const modules = join(await installation.folder(), "node_modules");
  const folder = mkdtempSync(join(tmpdir(), "tidewire-application-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  cpSync(source, folder, { recursive: true });
  symlinkSync(modules, join(folder, "node_modules"), "dir");
  return folder;
}
