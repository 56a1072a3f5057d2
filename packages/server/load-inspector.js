"use strict";
// Loads the inspector when it is asked for. CommonJS by hand: here `import()` stays what it is, in the sources and once built. No
// bundler may look for the package, because few applications have it.
const name = "@tidewire/inspector";

exports.loadInspector = function loadInspector() {
  return import(/* webpackIgnore: true */ name);
};
