import { createRequire } from "node:module";
import path from "node:path";
import type { Uws } from "./types.ts";

// Compiled to CommonJS this is a file of the installed package; run from source it has no `__filename`.
const here = typeof __filename === "string" ? __filename : path.resolve("source.js");

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
