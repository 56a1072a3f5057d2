import { createRequire } from "node:module";
import path from "node:path";
import type { Uws } from "./uws-types.ts";

// Compiled to CommonJS this is a file of the installed package; run from source it has no `__filename`.
const here = typeof __filename === "string" ? __filename : path.resolve("source.js");

/**
 * Loads uWebSockets.js, synchronously, from wherever the application installed it: the package itself, or an ES module
 * repack of it, whose binary is then taken by its path. Answers `undefined` where there is none for this platform.
 */
export function loadUws(): Uws | undefined {
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
