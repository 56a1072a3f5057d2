// Compiles the package in the current folder to dist/: CommonJS, one file per source file.
// The sources are ES modules for tools and tests; see ARCHITECTURE.md, "One build".
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

rmSync("dist", { recursive: true, force: true });
const flags = ["--module", "commonjs", "--moduleResolution", "bundler"];
// Built packages resolve each other's dist/, never the sources.
flags.push("--verbatimModuleSyntax", "false", "--customConditions", "");
// The compiler's own file: what npm puts on the path is a shell script on Windows, which cannot be spawned.
const compiler = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
const { status } = spawnSync(process.execPath, [compiler, ...flags], { stdio: "inherit" });
process.exit(status ?? 1);
