#!/usr/bin/env node
"use strict";
const { allCommands } = require("../dist/commands/all.js");
const { main } = require("../dist/main.js");
const { version } = require("../package.json");

const preload = ["--require", require.resolve("../dist/worker/preload.js")];
const terminal = { out: process.stdout, err: process.stderr };
void main(process.argv.slice(2), allCommands(preload), terminal, version).then((code) => {
  process.exitCode = code;
});
