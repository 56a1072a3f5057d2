import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Uws } from "./types.ts";

/**
 * The file from which uWebSockets.js is resolved: this file in the installed package, or the bundle that contains it. An ES
 * module has no `__filename`, and a bundler may invent one.
 */
const here =
  typeof __filename === "string" && path.isAbsolute(__filename) && existsSync(__filename)
    ? __filename
    : path.resolve(process.argv[1] ?? "index.js");

/** The largest head of a request, in bytes. uWebSockets.js reads this variable while it loads. */
const HEAD_SIZE = "UWS_HTTP_MAX_HEADERS_SIZE";

/** As on node:http. The default is 4 KiB, which the cookies of an application may well exceed. */
const HEAD_BYTES = "16384";

/** uWebSockets.js did not load. The `cause` is Node's error. */
export class UwsLoadError extends Error {
  override readonly name: string = "UwsLoadError";
  readonly code: "UWS_NOT_INSTALLED" | "UWS_NO_BINARY" | "UWS_WRONG_LIBC" | "UWS_NOT_LOADED" | "NODE_TOO_OLD";

  constructor(code: UwsLoadError["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Loads uWebSockets.js synchronously from wherever the application installed it: the package itself, or a repack as an ES
 * module, whose binary is then loaded by its path. Returns the error if it does not load.
 */
export function loadUws(): Uws | UwsLoadError {
  const tooOld = nodeTooOld();
  if (tooOld !== undefined) return tooOld;
  const { env } = process;
  const isGiven = HEAD_SIZE in env;
  if (!isGiven) env[HEAD_SIZE] = HEAD_BYTES;
  try {
    return load();
  } finally {
    if (!isGiven) delete env[HEAD_SIZE];
  }
}

/** Returns the copy of uWebSockets.js that is loaded, of which an app of the application is. Loads it where that is not clear. */
export function loadedUws(): Uws | UwsLoadError {
  const loaded = Object.values(createRequire(here).cache)
    .map((module) => module?.exports as unknown)
    .filter(isUws);
  return loaded.length === 1 ? loaded[0]! : loadUws();
}

function isUws(exports: unknown): exports is Uws {
  return typeof exports === "object" && exports !== null && "us_listen_socket_close" in exports;
}

/** Returns an error below Node 20, which cannot check whether text is well-formed. */
export function nodeTooOld(version: string = process.versions.node): UwsLoadError | undefined {
  if (Number.parseInt(version, 10) >= 20) return undefined;
  return new UwsLoadError("NODE_TOO_OLD", `uWebSockets.js needs Node.js 20.19 or later; this is ${version}`);
}

function load(): Uws | UwsLoadError {
  const require = createRequire(here);
  const errors: unknown[] = [];
  try {
    return require("uWebSockets.js") as Uws;
  } catch (error) {
    errors.push(error);
  }
  const binary = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  let isInstalled = false;
  for (const folder of require.resolve.paths("uWebSockets.js") ?? []) {
    const home = path.join(folder, "uWebSockets.js");
    if (!existsSync(home)) continue;
    isInstalled = true;
    try {
      return require(path.join(home, "dist", "bin", binary)) as Uws;
    } catch (error) {
      errors.push(error);
    }
  }
  return isInstalled ? explain(errors) : notInstalled(errors[0]);
}

function notInstalled(cause: unknown): UwsLoadError {
  const command = "npm install uNetworking/uWebSockets.js#v20.49.0";
  return new UwsLoadError("UWS_NOT_INSTALLED", `uWebSockets.js is not installed: ${command}`, cause);
}

/** Explains why an installed package did not load. Its own error quotes that of the binary. */
export function explain(errors: readonly unknown[]): UwsLoadError {
  const texts = errors.map(String);
  const libc = texts.findIndex((text) => /GLIBC|GLIBCXX|musl|ld-linux|libc\.so|symbol not found/i.test(text));
  const platform = `${process.platform}-${process.arch}, ABI ${process.versions.modules}`;
  if (libc !== -1) {
    const cure = "use an image with a recent glibc, such as node:22-slim, not Alpine or an older system";
    const message = `the binary of uWebSockets.js needs another C library than this system has (${platform}): ${cure}`;
    return new UwsLoadError("UWS_WRONG_LIBC", message, errors[libc]);
  }
  const isMissing = (text: string): boolean =>
    /Cannot find module|supports only Node|ERR_PACKAGE_PATH/i.test(text);
  if (texts.every((text) => isMissing(text) || /No "exports" main/i.test(text))) {
    const cure = "install another version of it or of Node.js";
    const message = `uWebSockets.js has no binary for this version of Node.js (${process.versions.node}: ${platform}): ${cure}`;
    // A repack never has a main module.
    const cause = errors.find((error) => !/No "exports" main/i.test(String(error)));
    return new UwsLoadError("UWS_NO_BINARY", message, cause);
  }
  const other = texts.findIndex((text) => !isMissing(text));
  return new UwsLoadError(
    "UWS_NOT_LOADED",
    `uWebSockets.js does not load (${platform}): ${texts[other]}`,
    errors[other],
  );
}
