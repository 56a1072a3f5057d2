// Compiles the package in the current folder to dist/: CommonJS, one file per source file.
// The sources are ES modules for tools and tests; see ARCHITECTURE.md, "One build".
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
const flags = ["--module", "commonjs", "--moduleResolution", "bundler"];
// Built packages resolve each other's dist/, never the sources.
flags.push("--verbatimModuleSyntax", "false", "--customConditions", "");
const { status } = spawnSync("tsc", flags, { stdio: "inherit" });
process.exit(status ?? 1);
