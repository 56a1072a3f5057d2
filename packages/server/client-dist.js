"use strict";
// Where the files of the client are. CommonJS by hand: sources are ES modules for tools and tests and CommonJS once built,
// and only this form knows its own place in both. A bundler puts it into a file elsewhere, so nothing here is a path or a
// module name that must exist when the bundle is made.
const { existsSync } = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");

/** Packages that hold the files, and in which folder. */
const packages = [
  ["@tidewire/server", "client-dist"],
  ["socket.io", "client-dist"],
  ["socket.io-client", "dist"],
];

let found;

/**
 * The folder of the published package, and in a bundle the folder `client-dist` beside it; otherwise that of a package which
 * is installed, such as `socket.io-client` for those who run the sources before a build. `undefined` if there is none.
 */
exports.clientDist = function clientDist() {
  if (found === undefined) found = { folder: search() };
  return found.folder;
};

function search() {
  const published = besideThisFile();
  if (hasClient(published)) return published;
  const programs = [process.argv[1], path.resolve("index.js")].filter(Boolean);
  return programs.map(besideProgram).find(hasClient) ?? programs.map(fromPackages).find(hasClient);
}

/**
 * Tools that copy what a program reads, such as ncc, understand the one line as it stands, and only in a file `.js` that has no
 * syntax younger than `??`.
 */
function besideThisFile() {
  try {
    return path.join(__dirname, "client-dist");
  } catch {
    // A bundle that is an ES module.
    return undefined;
  }
}

function hasClient(folder) {
  return folder !== undefined && path.isAbsolute(folder) && existsSync(path.join(folder, "socket.io.min.js"));
}

function besideProgram(program) {
  return path.join(path.dirname(program), "client-dist");
}

function fromPackages(program) {
  const installed = createRequire(path.resolve(program));
  for (const [name, folder] of packages) {
    try {
      const manifest = installed.resolve(`${name}/package.json`);
      // Files of another major version do not speak to this server.
      if (!installed(manifest).version.startsWith("4.")) continue;
      const files = path.join(path.dirname(manifest), folder);
      if (hasClient(files)) return files;
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}
