import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packed.ts";

/** The classes of each package whose methods applications call. */
const classes: Readonly<Record<string, readonly string[]>> = {
  server: ["Server", "Namespace", "ParentNamespace", "Socket", "BroadcastOperator", "RemoteSocket"],
  engine: ["Engine", "Server", "Session", "MemoryHost"],
  testing: ["TestServer", "TestClock"],
};

/** Their bases, whose methods are theirs. */
const bases: Readonly<Record<string, readonly string[]>> = { server: ["RoomTargets", "BroadcastingEmitter"] };

const packages = readdirSync(join(root, "packages"));

/** The packages whose functions applications call. */
const withFunctions = packages.filter((name) => !["cli", "parser", "server"].includes(name));

/** Interfaces of clients, meters and servers of other packages, which an application passes on: an example shows where they come from. */
const foreign: ReadonlySet<string> = new Set([
  "ContextTarget",
  "IoredisClient",
  "Meter",
  "NatsConnection",
  "NodeRedisClient",
  "NodeRedisSubscriber",
  "PostgresConnection",
  "PostgresPool",
  "PrometheusRegister",
  "UwsApp",
]);

/** Interfaces of options. */
const OPTIONS = /^\w*(?:Options|Limits|Rate)$/;

/** Options within others, which no package exports by name. */
const nested: ReadonlySet<string> = new Set(["RecoveryOptions"]);

/** The server takes a part of these, so that all are optional. */
const partial: ReadonlySet<string> = new Set(["ServerOptions"]);

/** Options with every default filled in, and options of another library. */
const others: ReadonlySet<string> = new Set(["InstrumentOptions", "ResolvedOptions"]);

interface Member {
  name: string;
  docs: string;
  isMethod: boolean;
  isOptional: boolean;
}

function declarationsOf(name: string): string[] {
  const dist = join(root, "packages", name, "dist");
  return readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => readFileSync(join(dist, file), "utf8"));
}

/** The names that the entry points of a package export. */
function exportedBy(name: string): ReadonlySet<string> {
  const folder = join(root, "packages", name);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    exports: Record<string, string | { "@tidewire/source": string }>;
  };
  const sources = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [] : [target["@tidewire/source"]],
  );
  const text = sources.map((source) => readFileSync(join(folder, source), "utf8")).join("\n");
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].map(([, list]) => list);
  const functions = [...text.matchAll(/^export (?:function|interface|class) (\w+)/gm)].map(
    ([, each]) => each,
  );
  return new Set([...lists, ...functions].join(" ").match(/\w+/g));
}

/** The body of a class or interface, as TypeScript prints it: members four spaces in. */
function bodyOf(sources: readonly string[], kind: "class" | "interface", name: string): string | undefined {
  const declaration = new RegExp(`^export declare (?:abstract )?${kind} ${name}\\b[\\s\\S]*?^\\}`, "m");
  const plain = new RegExp(`^export ${kind} ${name}\\b[\\s\\S]*?^\\}`, "m");
  for (const source of sources) {
    const found = declaration.exec(source)?.[0] ?? plain.exec(source)?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The public members, each with its docstring; one of several overloads is enough. */
function membersOf(body: string): Member[] {
  const pattern =
    /^ {4}(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s+)?((?:static |readonly |async |abstract )*)(\w+)(\??)([(<:])/gm;
  const members = new Map<string, Member>();
  for (const [, docs = "", , name, optional, sign] of body.matchAll(pattern)) {
    if (name === "constructor" || name!.startsWith("_")) continue;
    const earlier = members.get(name!)?.docs ?? "";
    members.set(name!, {
      name: name!,
      docs: earlier + docs,
      isMethod: sign !== ":",
      isOptional: optional === "?",
    });
  }
  return [...members.values()];
}

/** The docstring of a class or interface. */
function docsOf(sources: readonly string[], kind: "class" | "interface", name: string): string {
  const pattern = new RegExp(
    `(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/)\\s+export (?:declare )?(?:abstract )?${kind} ${name}\\b`,
  );
  return sources.map((source) => pattern.exec(source)?.[1]).find((docs) => docs !== undefined) ?? "";
}

/** The methods that no example shows, neither their own nor that of the class or interface. */
function unshown(sources: readonly string[], kind: "class" | "interface", name: string): string[] {
  const [, example = ""] = docsOf(sources, kind, name).split("@example");
  if (foreign.has(name) && example !== "") return [];
  return membersOf(bodyOf(sources, kind, name)!)
    .filter(({ isMethod, docs }) => isMethod && !docs.includes("@example"))
    .filter((method) => !new RegExp(`\\b${method.name}(?:\\?\\.)?\\(`).test(example))
    .map((method) => `${name}.${method.name}`);
}

function undocumented(source: string, kind: "class" | "interface", name: string, tag: string): string[] {
  const body = bodyOf([source], kind, name);
  assert.ok(body !== undefined, `there is no ${kind} ${name}`);
  return membersOf(body)
    .filter(({ docs }) => !docs.includes(tag))
    .map((member) => member.name);
}

describe("docstrings", () => {
  for (const [name, list] of Object.entries(classes)) {
    for (const each of [...(bases[name] ?? []), ...list]) {
      it(`show each public method of ${each} of @tidewire/${name} in an example`, () => {
        const body = bodyOf(declarationsOf(name), "class", each);
        assert.ok(body !== undefined);
        const methods = membersOf(body).filter(({ isMethod }) => isMethod);
        assert.notEqual(methods.length, 0);
        const without = methods.filter(({ docs }) => !docs.includes("@example"));
        assert.deepEqual(
          without.map((method) => method.name),
          [],
        );
      });
    }
  }

  for (const name of withFunctions) {
    it(`show each function of @tidewire/${name} in an example`, () => {
      const exported = exportedBy(name);
      const pattern = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s+)?export declare function (\w+)/g;
      const functions = declarationsOf(name)
        .flatMap((source) => [...source.matchAll(pattern)])
        .filter(([, , each]) => exported.has(each!));
      assert.notEqual(functions.length, 0);
      const without = functions.filter(([, docs = ""]) => !docs.includes("@example"));
      assert.deepEqual(
        without.map(([, , each]) => each),
        [],
      );
    });
  }

  for (const name of packages.filter((each) => each !== "cli")) {
    it(`show each method of @tidewire/${name} in an example, its own or that of its class or interface`, () => {
      const sources = declarationsOf(name);
      const exported = exportedBy(name);
      const pattern = /^export (?:declare )?(?:abstract )?(class|interface) (\w+)/gm;
      assert.deepEqual(
        sources
          .flatMap((source) => [...source.matchAll(pattern)])
          .filter(([, , each]) => exported.has(each!))
          .flatMap(([, kind, each]) => unshown(sources, kind as "class" | "interface", each!)),
        [],
      );
    });
  }

  for (const name of packages) {
    it(`say what the default of each option of @tidewire/${name} is`, () => {
      const sources = declarationsOf(name);
      const exported = exportedBy(name);
      const names = sources
        .flatMap((source) => [...source.matchAll(/^export (?:declare )?interface (\w+)/gm)])
        .map(([, each]) => each!)
        .filter((each) => OPTIONS.test(each) && !others.has(each))
        .filter((each) => exported.has(each) || nested.has(each));
      const without = names.flatMap((each) =>
        membersOf(bodyOf(sources, "interface", each)!)
          .filter(({ isOptional }) => isOptional || partial.has(each))
          .filter(({ docs }) => !docs.includes("@default"))
          .map((member) => `${each}.${member.name}`),
      );
      assert.deepEqual(without, []);
    });
  }

  it("would be missed", () => {
    const source = `export declare class Thing {
    private readonly hidden;
    /** Does it. */
    act(): void;
    /**
     * Does it well.
     * @example
     * thing.succeed();
     */
    succeed(): void;
}
export interface ThingOptions {
    /** @default 1 */
    size?: number;
    /** How fast. */
    speed?: number;
}
/**
 * A driver.
 * @example
 * driver.steer(1);
 */
export interface Driver {
    steer(angle: number): void;
    stop(): void;
}`;
    assert.deepEqual(undocumented(source, "class", "Thing", "@example"), ["act"]);
    assert.deepEqual(undocumented(source, "interface", "ThingOptions", "@default"), ["speed"]);
    assert.deepEqual(unshown([source], "interface", "Driver"), ["Driver.stop"]);
  });
});
