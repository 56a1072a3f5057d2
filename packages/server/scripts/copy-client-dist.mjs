// Copies the files of the official client into the package, to be served at `<path>/socket.io.js` and so on.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const source = join(dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json")), "dist");
const target = join(import.meta.dirname, "..", "client-dist");

rmSync(target, { recursive: true, force: true });
mkdirSync(target);
for (const file of readdirSync(source)) {
  copyFileSync(join(source, file), join(target, file));
}
