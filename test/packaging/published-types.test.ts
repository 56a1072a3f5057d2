import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { bin, output, root } from "./packed.ts";

/** What each package declares to applications, member by member: what is inner must not ship by accident. */
const written = JSON.parse(readFileSync(new URL("published-types.json", import.meta.url), "utf8")) as Record<
  string,
  Record<string, string[]>
>;

/** The names in `export { … }` and `export declare …` of a declaration file. */
function exportsOf(source: string): string[] {
  const names: string[] = [];
  for (const [, list] of source.matchAll(/export (?:type )?\{([^}]*)\}/g)) {
    for (const name of list!.split(",")) {
      const [own, as] = name
        .replace(/\btype\b/, "")
        .trim()
        .split(/ as /);
      if (own) names.push((as ?? own).trim());
    }
  }
  for (const [, name] of source.matchAll(/export declare (?:abstract )?(?:const|function|class) (\w+)/g)) {
    names.push(name!);
  }
  return names;
}

/** The public and protected members in the body of a class, as TypeScript prints it: one per line, four spaces in. */
function membersOf(body: string): string[] {
  const names = new Set<string>();
  for (const [, modifiers, name] of body.matchAll(
    /^ {4}((?:static |abstract |readonly |protected |private |get |set |declare )*)(\[?[\w$.#]+\]?)[?(:<;]/gm,
  )) {
    if (!modifiers!.includes("private") && !name!.startsWith("#") && name !== "constructor") names.add(name!);
  }
  return [...names].toSorted();
}

function declaredBy(name: string): Record<string, string[]> {
  const dist = join(root, "packages", name, "dist");
  const sources = readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => readFileSync(join(dist, file), "utf8"));
  const exported = exportsOf(readFileSync(join(dist, "index.d.ts"), "utf8"));
  const declared: Record<string, string[]> = {};
  for (const each of exported.toSorted()) {
    const declaration = new RegExp(`^export declare (?:abstract )?class ${each}\\b[\\s\\S]*?^\\}`, "m");
    const body = sources.map((source) => declaration.exec(source)?.[0]).find((match) => match !== undefined);
    declared[each] = body === undefined ? [] : membersOf(body);
  }
  return declared;
}

describe("published types", function () {
  this.timeout(60_000);

  it("compile without skipLibCheck", async () => {
    const folder = await mkdtemp(join(root, "packages/server/dist/consumer-"));
    try {
      const file = join(folder, "consumer.ts");
      writeFileSync(
        file,
        `import { Engine, MemoryHost, Server as EngineServer, Session } from "@tidewire/engine";
import { Server } from "@tidewire/server";
new Server().on("connection", (socket) => socket.conn.close());
export const used = [Engine, MemoryHost, EngineServer, Session];
`,
      );
      const flags =
        "--noEmit --ignoreConfig --skipLibCheck false --strict --module nodenext --esModuleInterop --types node";
      const { status, stdout } = await output(bin("tsc"), [...flags.split(" "), file], folder);
      assert.deepEqual([stdout, status], ["", 0]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  for (const name of ["parser", "engine", "server"]) {
    it(`of @tidewire/${name} are those of published-types.json`, () => {
      assert.deepEqual(declaredBy(name), written[name]);
    });

    it(`of @tidewire/${name} contain nothing marked as internal`, () => {
      const dist = join(root, "packages", name, "dist");
      for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
        if (file.endsWith(".d.ts")) {
          assert.doesNotMatch(readFileSync(join(dist, file), "utf8"), /@internal/, file);
        }
      }
    });
  }
});
