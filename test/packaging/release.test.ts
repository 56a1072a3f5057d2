import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { npmName, publishedNames, root } from "./packed.ts";

const REPOSITORY = "https://github.com/tidewire/tidewire";

interface Manifest {
  readonly description: string;
  readonly keywords?: readonly string[];
  readonly homepage?: string;
  readonly bugs?: unknown;
  readonly repository?: unknown;
  readonly scripts: Readonly<Record<string, string>>;
}

describe("the npm pages of the packages", () => {
  for (const name of publishedNames) {
    const folder = join(root, "packages", name);
    const read = (file: string): string => readFileSync(join(folder, file), "utf8");

    describe(npmName(name), () => {
      const manifest = JSON.parse(read("package.json")) as Manifest;

      it("has the licence of the repository", () => {
        assert.equal(read("LICENSE"), readFileSync(join(root, "LICENSE"), "utf8"));
      });

      it("names its repository, homepage, bug tracker and keywords", () => {
        assert.deepEqual(manifest.repository, {
          type: "git",
          url: `git+${REPOSITORY}.git`,
          directory: `packages/${name}`,
        });
        assert.equal(manifest.homepage, `${REPOSITORY}/tree/main/packages/${name}#readme`);
        assert.deepEqual(manifest.bugs, { url: `${REPOSITORY}/issues` });
        assert.ok((manifest.keywords ?? []).length >= 4);
        assert.ok(manifest.keywords?.includes("tidewire"));
      });

      it("is built before it is packed", () => {
        assert.match(manifest.scripts["prepack"] ?? "", /^turbo run build\b/);
      });

      it("has a README with installation and usage", () => {
        const readme = read("README.md");
        assert.match(readme, new RegExp(`^# ${npmName(name)}\n`));
        assert.match(readme, new RegExp(`^    npm i .*${npmName(name)}`, "m"));
        assert.match(readme, /^```js\n/m);
      });

      it("has a README with absolute links to existing files of the repository", () => {
        const links = [...read("README.md").matchAll(/\]\(([^)]+)\)/g)].map((match) => String(match[1]));
        assert.ok(links.length > 0);
        const relative = links.filter((link) => !link.startsWith("https://") && !link.startsWith("#"));
        assert.deepEqual(relative, []);
        const ours = links.filter((link) => link.startsWith(`${REPOSITORY}/`));
        const lost = ours.filter((link) => {
          const path = /\/(?:blob|tree)\/main\/([^#]*)/.exec(link)?.[1];
          return path === undefined ? !link.endsWith("/issues") : !existsSync(join(root, path));
        });
        assert.deepEqual(lost, []);
      });

      it("has a README without names of its source files", () => {
        assert.deepEqual(read("README.md").match(/`[\w/-]+\.ts`/g) ?? [], []);
      });
    });
  }
});
