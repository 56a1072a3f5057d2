import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The programs of a page of the documentation, in order: the blocks of a language that begin with an import. */
export function programsOf(page: string, language: "js" | "ts" = "js"): string[] {
  const text = readFileSync(join(root, page), "utf8");
  const blocks = new RegExp(`^\`\`\`${language}\\n(import [^]*?)^\`\`\``, "gm");
  return [...text.matchAll(blocks)].map((match) => match[1]!);
}

/** Runs a program against the sources. Returns the lines that it prints. */
export async function linesOf(program: string): Promise<string[]> {
  const folder = await mkdtemp(join(root, "test/.program-"));
  try {
    const file = join(folder, "program.mjs");
    await writeFile(file, program);
    const flags = ["--conditions=@tidewire/source", "--import", "tsx/esm"];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], { cwd: root });
    return stdout.trimEnd().split("\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}
