import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { bin, npmName, output, pack, packageNames, publishedNames, root } from "./packed.ts";
import type { PackageName } from "./packed.ts";

/** The part of attw's output that the test reads. */
interface Report {
  readonly analysis: {
    readonly types: unknown;
    readonly problems: readonly { kind: string; entrypoint?: string }[];
  };
}

describe("the packed packages", function () {
  this.timeout(60_000);
  before(() => pack());

  for (const name of packageNames) {
    describe(`@tidewire/${name}`, () => {
      it("passes publint", async () => {
        const { tarballs } = await pack();
        const bytes = Uint8Array.from(readFileSync(tarballs[name]));
        const { messages, pkg } = await publint({
          pack: { tarball: bytes.buffer },
          strict: true,
        });
        assert.deepEqual(
          messages.map((message) => formatMessage(message, pkg)),
          [],
        );
      });

      it("has types that resolve in all four modes, according to attw", async () => {
        const { tarballs } = await pack();
        const { status, stdout } = await output(bin("attw"), [tarballs[name], "--format", "json"], root);
        const { analysis } = JSON.parse(stdout) as Report;
        assert.deepEqual(analysis.problems, []);
        assert.ok(analysis.types);
        assert.equal(status, 0);
      });
    });
  }

  for (const name of publishedNames)
    it(`are under the MIT licence, and hold no tests: ${npmName(name)}`, async () => {
      const { tarballs, folder } = await pack();
      const { license } = JSON.parse(
        readFileSync(join(folder, "node_modules", npmName(name), "package.json"), "utf8"),
      ) as { license: string };
      assert.equal(license, "MIT");
      const { stdout } = await output("tar", ["-tzf", tarballs[name]], folder);
      const files = stdout.trim().split("\n");
      const needed =
        name === "cli" ? ["bin/tidewire.cjs", "dist/worker/preload.js"] : ["dist/index.js", "wrapper.mjs"];
      for (const file of needed) assert.ok(files.includes(`package/${file}`), file);
      assert.deepEqual(
        files.filter((file) => /\btest\b|\.test\.|tsbuildinfo|\.turbo/.test(file)),
        [],
      );
    });

  it("share one version, and depend on each other by it", async () => {
    const { folder } = await pack();
    const read = (name: PackageName): { version: string; dependencies?: Record<string, string> } =>
      JSON.parse(readFileSync(join(folder, "node_modules", npmName(name), "package.json"), "utf8")) as never;
    const { version } = read("server");
    assert.match(version, /^4\.(9|\d\d+)\./);
    for (const name of publishedNames) {
      assert.equal(read(name).version, version);
      for (const [dependency, range] of Object.entries(read(name).dependencies ?? {})) {
        if (dependency.startsWith("@tidewire/")) assert.equal(range, version);
      }
    }
  });

  it("hold the files that tracing tools patch by name, and the client files", async () => {
    const { tarballs, folder } = await pack();
    const { stdout } = await output("tar", ["-tzf", tarballs.server], folder);
    const files = new Set(stdout.trim().split("\n"));
    for (const file of ["dist/socket.js", "dist/broadcast-operator.js"])
      assert.ok(files.has(`package/${file}`), file);
    for (const kind of ["", ".min", ".esm.min", ".msgpack.min"]) {
      for (const end of ["js", "js.map"]) {
        const file = `client-dist/socket.io${kind}.${end}`;
        assert.ok(files.has(`package/${file}`), file);
      }
    }
  });
});
