import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("runners", import.meta.url));
const require = createRequire(import.meta.url);

/** The path of a command of another package. */
function bin(name: string, path: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}

/** The same application is tested with each runner, which exits with a code other than 0 if the test fails or is not found. */
describe("the test runners", function () {
  this.timeout(60_000);

  it("node:test", () => run(process.execPath, ["--test", join(folder, "node.test.mjs")]));

  it("vitest", () =>
    run(process.execPath, [bin("vitest", "vitest.mjs"), "run", "--dir", folder], { cwd: folder }));

  it("jest", () =>
    run(
      process.execPath,
      [bin("jest", "bin/jest.js"), "--rootDir", folder, "--testMatch", "**/jest.test.cjs"],
      {
        cwd: folder,
      },
    ));

  it("runs the example of the README", async () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const [, example] = /```js\n([^]*?)```/.exec(readme)!;
    // Within the package, where its name leads to itself.
    const place = mkdtempSync(join(folder, "readme-"));
    try {
      writeFileSync(join(place, "example.test.mjs"), example!);
      copyFileSync(join(folder, "chat.mjs"), join(place, "chat.mjs"));
      await run(process.execPath, ["--test", join(place, "example.test.mjs")]);
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});
