// Writes the API reference, as pages of Markdown, from the docstrings of the packages.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { Application, Converter, LogLevel, ReflectionKind } from "typedoc";
import type { Context, TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";
import { docs, reference, root } from "./paths.ts";

interface EntryPoint {
  /** How applications import it, without the scope: `metrics/opentelemetry`. */
  readonly name: string;
  readonly source: string;
  readonly description: string;
}

interface Manifest {
  readonly description: string;
  readonly exports: Readonly<Record<string, string | { readonly "@tidewire/source": string }>>;
}

/** The packages in the order of the sidebar; then the others that can be imported. */
const FIRST = ["server", "engine", "contract", "testing", "metrics", "cluster"];
const entryPoints = [...new Set([...FIRST, ...readdirSync(join(root, "packages"))])].flatMap(entryPointsOf);

/** What applications import from a package. */
function entryPointsOf(folder: string): EntryPoint[] {
  const path = join(root, "packages", folder);
  const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest;
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const source = join(path, target["@tidewire/source"]);
    const about = /^\/\*\* (.+?)\.? @module \*\/$/m.exec(readFileSync(source, "utf8"))?.[1];
    const description = subpath === "." ? manifest.description : (about ?? "");
    return [{ name: posix.join(folder, subpath), source, description }];
  });
}

/** What is exported for other packages of the project. */
const INNER = "internals";

const options: Partial<TypeDocOptions & PluginOptions> = {
  name: "API reference",
  basePath: root,
  entryPoints: entryPoints.map(({ source }) => source),
  tsconfig: join(docs, "tsconfig.api.json"),
  plugin: ["typedoc-plugin-markdown"],
  outputs: [{ name: "markdown", path: reference }],
  // `tsc` has checked the types.
  skipErrorChecking: true,
  readme: "none",
  githubPages: false,
  disableSources: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  // Types of the packages that applications do not name.
  validation: { notExported: false, invalidLink: true, rewrittenLink: true, unusedMergeModuleWith: true },
  logLevel: LogLevel.Warn,
  sort: ["source-order"],
  sortEntryPoints: false,
  entryFileName: "index",
  excludeScopesInPaths: true,
  membersWithOwnFile: ["Class", "Interface"],
  pageTitleTemplates: { member: ({ rawName }) => rawName.replace(/<[\s\S]*/, "") },
  hideBreadcrumbs: true,
  hidePageHeader: true,
  sanitizeComments: true,
  useCodeBlocks: true,
  expandObjects: true,
  parametersFormat: "table",
  typeDeclarationFormat: "table",
  enumMembersFormat: "table",
  tableColumnSettings: { hideInherited: true, hideModifiers: true, hideOverrides: true, hideSources: true },
};

/**
 * Writes the pages, and the items of the sidebar.
 *
 * @throws Error if there is a warning
 */
export async function writeReference(): Promise<void> {
  rmSync(reference, { recursive: true, force: true });
  const app = await Application.bootstrapWithPlugins(options);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, tidy);
  const project = await app.convert();
  if (project === undefined) throw new Error("The docstrings could not be read");
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("The API reference has warnings");
  for (const name of readdirSync(reference, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".md")) continue;
    const file = join(reference, name);
    writeFileSync(file, compact(readFileSync(file, "utf8")));
  }
  writeFileSync(join(reference, "index.md"), overview());
  writeFileSync(join(reference, "sidebar.json"), `${JSON.stringify(entryPoints.map(itemOf), null, 2)}\n`);
}

/** Names the modules like the packages, and leaves out what only official packages call. */
function tidy({ project }: Context): void {
  for (const [i, module] of (project.children ?? []).entries()) {
    module.name = `@tidewire/${entryPoints[i]!.name}`;
    const inner = module.children?.find(({ name }) => name === INNER);
    if (inner !== undefined) project.removeReflection(inner);
  }
  for (const member of project.getReflectionsByKind(ReflectionKind.ClassMember)) {
    if (member.name.startsWith("_")) project.removeReflection(member);
  }
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter)) {
    // One that is destructured has no name.
    if (parameter.name === "__namedParameters") parameter.name = "options";
  }
}

/** The page that lists what can be imported. */
function overview(): string {
  const rows = entryPoints.map(
    ({ name, description }) => `| [@tidewire/${name}](${name}/index.md) | ${description} |`,
  );
  return ["# API reference\n", "| import | content |", "| --- | --- |", ...rows, ""].join("\n");
}

/** Leaves out what the sources say better, and headings of which the search would find hundreds. */
function compact(page: string): string {
  return (
    page
      .replaceAll(
        /^#{2,5} (?:Extends|Extended by|Implements|Implementation of|Inherited from|Overrides)\n\n(?:.+\n)+\n?/gm,
        "",
      )
      .replaceAll(
        /^#{2,5} Default\n\n```ts\n([\s\S]*?)\n```/gm,
        (_, value: string) => `**Default:** ${defaultOf(value)}`,
      )
      .replaceAll(/^\*\*\*\n/gm, "")
      // The parts of a member, and the example of a class.
      .replaceAll(
        /^(?:#{4,6} (.+)|## (Example))$/gm,
        (_, part?: string, example?: string) => `**${part ?? example}**`,
      )
  );
}

/** A value as code, unless it is said in words. */
function defaultOf(value: string): string {
  const isLiteral = /^(?:[\d.]+|"[^"]*"|\[[^\]]*\]|true|false|Infinity)$/.test(value);
  return isLiteral ? `\`${value}\`` : value;
}

interface Item {
  text: string;
  link: string;
  collapsed?: boolean;
  items?: Item[];
}

/** The item of an entry point, with its classes and interfaces. */
function itemOf({ name }: EntryPoint): Item {
  const items = ["classes", "interfaces"].flatMap((kind) => pagesIn(`${name}/${kind}`));
  return {
    text: `@tidewire/${name.replaceAll("/", "/<wbr>")}`,
    link: `/api/${name}/`,
    ...(items.length > 0 && { collapsed: true, items }),
  };
}

function pagesIn(folder: string): Item[] {
  const path = join(reference, folder);
  if (!existsSync(path)) return [];
  const names = readdirSync(path).map((file) => basename(file, ".md"));
  return names
    .toSorted((a, b) => a.localeCompare(b))
    .map((text) => ({ text, link: `/api/${folder}/${text}` }));
}
