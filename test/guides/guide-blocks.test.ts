// Every guide shows a program that a test runs, and every block of code on a page is run, checked or compared by a test.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { blocksOf, guides, pages, scriptsOf } from "./support/blocks.ts";
import type { Block } from "./support/blocks.ts";
import { expected } from "./support/expected.ts";

const root = new URL("../../", import.meta.url);

/** The tests of what is not JavaScript, by the language of a block. */
const byLanguage: Readonly<Record<string, string>> = {
  nginx: "test/proxies/proxies.test.ts",
  haproxy: "test/proxies/proxies.test.ts",
  apache: "test/proxies/proxies.test.ts",
  caddy: "test/proxies/proxies.test.ts",
  yaml: "test/guides/guide-configurations.test.ts",
  ini: "test/guides/guide-configurations.test.ts",
  json: "test/guides/guide-configurations.test.ts",
  sh: "test/guides/guide-commands.test.ts",
};

/** The tests of files and outputs that have a name in their fence. */
const byLabel: Readonly<Record<string, string>> = {
  "migrate: server.js": "test/guides/guide-pages.test.ts",
  "migrate: npx tidewire migrate .": "test/guides/guide-pages.test.ts",
  "deployment: ecosystem.config.cjs": "test/guides/guide-configurations.test.ts",
  "frameworks: server.js": "compat/frameworks/frameworks.test.ts",
  "frameworks: nuxt.config.ts": "compat/frameworks/frameworks.test.ts",
  "frameworks: server/plugins/socket.io.ts": "compat/frameworks/frameworks.test.ts",
  "frameworks: live.js": "compat/frameworks/frameworks.test.ts",
  "frameworks: vite.config.js": "compat/frameworks/frameworks.test.ts",
};

/** What a command prints differs from run to run: the tests of the command judge its form. */
const byCommand: Readonly<Record<string, string>> = {
  doctor: "test/cli/doctor.test.ts",
  listen: "test/cli/client-commands.test.ts",
  load: "test/cli/load.test.ts",
  migrate: "test/cli/migrate.test.ts",
};

const isScript = ({ language, label }: Block): boolean => /^[jt]s$/.test(language) && label === "";
const isPlain = ({ language, label }: Block): boolean => language === "" && label === "";
const isCommand = ({ code }: Block): boolean =>
  /^(?:npm|npx|curl|export|kill|sysctl|systemctl|pm2) /.test(code);

/** The test that is responsible for a block; undefined if there is none. */
function testOf(block: Block, before: readonly Block[]): string | undefined {
  const { page, language, label } = block;
  if (label !== "") {
    const [, command = ""] = /^npx tidewire (\w+)/.exec(label) ?? [];
    return byLabel[`${page}: ${label}`] ?? byCommand[command];
  }
  if (isScript(block)) {
    const index = before.filter(isScript).length;
    return expected[page]?.[index] && "test/guides/guide-programs.test.ts";
  }
  if (language !== "") return byLanguage[language];
  if (isCommand(block)) return "test/guides/guide-commands.test.ts";
  return outputs.some((output) => output.block.page === page && output.block.line === block.line)
    ? "test/guides/guide-blocks.test.ts"
    : undefined;
}

/** The indented blocks that follow a program: what it prints. */
const outputs = pages.flatMap((page) => {
  const blocks = blocksOf(page);
  return blocks.flatMap((block, at) => {
    const previous = blocks[at - 1];
    if (!isPlain(block) || isCommand(block) || previous === undefined || !isScript(previous)) return [];
    const index = blocks.slice(0, at).filter(isScript).length - 1;
    return [{ block, lines: expected[page]?.[index]?.lines ?? [] }];
  });
});

describe("the blocks of code in docs", () => {
  for (const page of guides) {
    it(`show a program that a test runs: ${page}`, () => {
      assert.notEqual(expected[page]?.length ?? 0, 0, `add a program to docs/${page}.md, and to expected.ts`);
    });
  }

  it("are all run, checked or compared by a test", () => {
    const without = pages.flatMap((page) =>
      blocksOf(page)
        .filter((block, at, blocks) => testOf(block, blocks.slice(0, at)) === undefined)
        .map(({ line, language, code }) => `docs/${page}.md:${line} ${language} ${code.split("\n")[0]}`),
    );
    assert.deepEqual(without, []);
  });

  it("have no entry too many in expected.ts", () => {
    assert.deepEqual(
      Object.entries(expected).map(([page, list]) => [page, list.length]),
      Object.keys(expected).map((page) => [page, scriptsOf(page).length]),
    );
  });

  it("have tests that exist", () => {
    const named = [...Object.values(byLanguage), ...Object.values(byLabel), ...Object.values(byCommand)];
    assert.deepEqual(
      named.filter((file) => !existsSync(new URL(file, root))),
      [],
    );
  });

  for (const { block, lines } of outputs) {
    it(`print what follows them: docs/${block.page}.md:${block.line}`, () => {
      assert.deepEqual(block.code.trimEnd().split("\n"), lines);
    });
  }

  it("would be missed", () => {
    const block: Block = { page: "auth", line: 1, language: "js", label: "", code: "auth();\n" };
    const before = blocksOf("auth");
    assert.equal(testOf({ ...block, language: "rust" }, []), undefined);
    assert.equal(testOf({ ...block, language: "" }, []), undefined);
    assert.equal(testOf({ ...block, label: "other.js" }, []), undefined);
    assert.equal(testOf(block, before), undefined);
  });
});
