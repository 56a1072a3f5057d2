// Programs that tests start in processes of their own run the sources, too. Each is bundled first, with what it imports of this
// repository: so it starts in a quarter of the time that the loader takes for some hundred files.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { OnLoadResult, OnResolveResult, Plugin } from "esbuild";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Within the repository, so that packages of npm are found. */
const cache = join(root, "test/.cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "programs-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

let builds = 0;

/**
 * Bundles programs for Node, which share the classes of what they import.
 *
 * @param programs - URLs of files
 * @returns the paths of the files to run, whose names end with `.mjs`
 */
export async function bundled(...programs: readonly URL[]): Promise<string[]> {
  const outdir = join(folder, String(builds++));
  const paths = programs.map((program) => fileURLToPath(program));
  await build({
    absWorkingDir: root,
    bundle: true,
    conditions: ["@tidewire/source"],
    entryNames: "[name]",
    entryPoints: paths,
    format: "esm",
    keepNames: true,
    logLevel: "error",
    outExtension: { ".js": ".mjs" },
    outdir,
    platform: "node",
    plugins: [sourcesAlone],
    splitting: true,
    target: "node20",
  });
  return paths.map((path) => join(outdir, basename(path).replace(/\.[jt]s$/, ".mjs")));
}

/** Takes in the sources of this repository, each of which still knows where it is. */
const sourcesAlone: Plugin = {
  name: "sources alone",
  setup(bundling) {
    bundling.onResolve(
      { filter: /^(?:[./]|@tidewire\/)/ },
      async (asked): Promise<OnResolveResult | undefined> => {
        if (asked.kind === "entry-point" || asked.pluginData === sourcesAlone) return undefined;
        const { kind, resolveDir } = asked;
        const { path, errors } = await bundling.resolve(asked.path, {
          kind,
          resolveDir,
          pluginData: sourcesAlone,
        });
        if (errors.length > 0) return { errors };
        return path.endsWith(".ts") ? { path } : { path: pathToFileURL(path).href, external: true };
      },
    );
    bundling.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === "entry-point" || path.startsWith("@tidewire/") ? undefined : { path, external: true },
    );
    bundling.onLoad({ filter: /\.[jt]s$/ }, ({ path }): OnLoadResult => {
      const text = readFileSync(path, "utf8");
      const contents = text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};
