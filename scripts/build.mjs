// Compiles the package in the current folder to dist/: CommonJS, one file per source file.
// The sources are ES modules for tools and tests; see ARCHITECTURE.md, "One build".
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

rmSync("dist", { recursive: true, force: true });
const flags = ["--module", "commonjs", "--moduleResolution", "bundler"];
// Built packages resolve each other's dist/, never the sources.
flags.push("--verbatimModuleSyntax", "false", "--customConditions", "");
// The compiler's own file: what npm puts on the path is a shell script on Windows, which cannot be spawned.
const compiler = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
const { status } = spawnSync(process.execPath, [compiler, ...flags], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

// Members marked as internal are not declared (`stripInternal`), so a class no longer declares all that the interfaces of its
// collaborators ask for. That it implements them was checked above; it is nothing that an application relies on.
for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".d.ts")) continue;
  const text = readFileSync(`dist/${name}`, "utf8");
  const stripped = text.replace(/^(export declare (?:abstract )?class .*?) implements .*(?= \{$)/gm, "$1");
  if (stripped !== text) writeFileSync(`dist/${name}`, stripped);
}
