"use strict";
// Where the files of the client are. CommonJS by hand: sources are ES modules for tools and tests and CommonJS once built,
// and only this form knows its own place in both.
const { existsSync } = require("node:fs");
const path = require("node:path");

/** The folder of the published package; from source, before a build, the installed `socket.io-client`. */
exports.clientDist = function clientDist() {
  const published = path.join(__dirname, "client-dist");
  return existsSync(published)
    ? published
    : path.join(path.dirname(require.resolve("socket.io-client/package.json")), "dist");
};
