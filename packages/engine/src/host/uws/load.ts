import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Uws } from "./types.ts";

/**
 * The file from which uWebSockets.js is looked for. Compiled to CommonJS that is this file in the installed package, or the
 * bundle that holds it. An ES module has no `__filename`, and a bundler may make up one.
 */
const here =
  typeof __filename === "string" && path.isAbsolute(__filename) && existsSync(__filename)
    ? __filename
    : path.resolve(process.argv[1] ?? "index.js");

/** uWebSockets.js reads it while it loads: how many bytes the head of a request may have. */
const HEAD_SIZE = "UWS_HTTP_MAX_HEADERS_SIZE";

/** As on node:http. Of its own accord uWebSockets.js takes 4 KiB, which the cookies of an application may well exceed. */
const HEAD_BYTES = "16384";

/**
 * Loads uWebSockets.js, synchronously, from wherever the application installed it: the package itself, or an ES module
 * repack of it, whose binary is then taken by its path. Answers `undefined` where there is none for this platform.
 */
export function loadUws(): Uws | undefined {
  const { env } = process;
  const isGiven = HEAD_SIZE in env;
  if (!isGiven) env[HEAD_SIZE] = HEAD_BYTES;
  try {
    return load();
  } finally {
    if (!isGiven) delete env[HEAD_SIZE];
  }
}

function load(): Uws | undefined {
  const require = createRequire(here);
  try {
    return require("uWebSockets.js") as Uws;
  } catch {
    const binary = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
    for (const folder of require.resolve.paths("uWebSockets.js") ?? []) {
      try {
        return require(path.join(folder, "uWebSockets.js", "dist", "bin", binary)) as Uws;
      } catch {
        // The next folder.
      }
    }
    return undefined;
  }
}
