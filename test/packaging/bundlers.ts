// Bundles a small server into one file, with each bundler in its usual ways.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { rollup, type Plugin } from "rollup";
import webpack from "webpack";
import { bin, output } from "./packed.ts";

/** The bundled program: prints its port and host, serves, and exits when stdin ends. */
const program = `
import http from "node:http";
import { Server } from "@tidewire/server";
const io = new Server(0);
io.on("connection", (socket) => socket.on("say", (text, data, done) => done(text.length + data.length)));
const { httpServer } = io;
console.log(JSON.stringify({ port: httpServer.address().port, host: httpServer instanceof http.Server ? "node" : "uws" }));
process.stdin.on("end", () => io.close()).resume();
`;

/** Bundles the program of the folder `from` into the folder `to`; resolves with the name of the file to run. */
export type Bundle = (from: string, to: string) => Promise<string>;

const ES_REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

export const bundles: Readonly<Record<string, Bundle>> = {
  "esbuild, as CommonJS": async (from, to) => {
    const outfile = join(to, "server.cjs");
    await esbuild({ ...esbuildOptions(from), format: "cjs", outfile });
    return "server.cjs";
  },
  "esbuild, as an ES module": async (from, to) => {
    const outfile = join(to, "server.mjs");
    await esbuild({ ...esbuildOptions(from), format: "esm", banner: { js: ES_REQUIRE }, outfile });
    return "server.mjs";
  },
  webpack: (from, to) => packWeb(from, to, {}),
  "webpack, with the paths of the sources": (from, to) =>
    packWeb(from, to, { __filename: true, __dirname: true }),
  "webpack, with mocked paths": (from, to) => packWeb(from, to, { __filename: "mock", __dirname: "mock" }),
  "rollup, as CommonJS": (from, to) => rollUp(from, to, "cjs"),
  "rollup, as an ES module": (from, to) => rollUp(from, to, "es"),
  ncc: async (from, to) => {
    const { status, stdout, stderr } = await output(bin("ncc"), ["build", entry(from), "-o", to], from);
    if (status !== 0) throw new Error(`ncc failed: ${stdout}${stderr}`);
    return "index.mjs";
  },
};

function entry(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  return file;
}

function esbuildOptions(from: string): { entryPoints: string[]; bundle: true; platform: "node" } {
  return { entryPoints: [entry(from)], bundle: true, platform: "node" };
}

function packWeb(from: string, to: string, node: webpack.Configuration["node"] & object): Promise<string> {
  const compiler = webpack({
    mode: "production",
    target: "node",
    entry: entry(from),
    output: { path: to, filename: "server.cjs" },
    node,
  });
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      const problem = error ?? (stats?.hasErrors() ? new Error(stats.toString("errors-only")) : undefined);
      compiler.close(() => (problem ? reject(problem) : resolve("server.cjs")));
    });
  });
}

async function rollUp(from: string, to: string, format: "cjs" | "es"): Promise<string> {
  const name = format === "cjs" ? "server.cjs" : "server.mjs";
  const bundle = await rollup({
    input: entry(from),
    plugins: [nodeResolve({ preferBuiltins: true }), plugin(commonjs), plugin(json)],
    // Packages that `ws` and `debug` can do without.
    external: [/^node:/, "bufferutil", "utf-8-validate", "supports-color"],
    onwarn: () => {},
  });
  await bundle.write({ file: join(to, name), format, inlineDynamicImports: true });
  await bundle.close();
  return name;
}

/** The types of these packages are those of CommonJS, though ES modules are what is imported. */
function plugin(imported: unknown): Plugin {
  return (imported as () => Plugin)();
}
