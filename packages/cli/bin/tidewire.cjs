#!/usr/bin/env node
"use strict";
const { doctorCommand } = require("../dist/commands/doctor.js");
const { startCommand } = require("../dist/commands/start.js");
const { main } = require("../dist/main.js");

const preload = ["--require", require.resolve("../dist/worker/preload.js")];
const terminal = { out: process.stdout, err: process.stderr };
void main(process.argv.slice(2), [startCommand(preload), doctorCommand], terminal).then((code) => {
  process.exitCode = code;
});
