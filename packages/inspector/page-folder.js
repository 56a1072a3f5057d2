"use strict";
// Where the files of the page are. CommonJS by hand, because only this form knows its own place in the sources and once built.
const path = require("node:path");

exports.pageFolder = path.join(__dirname, "page");
