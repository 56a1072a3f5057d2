// Tests run from the sources.
module.exports = {
  "node-option": ["conditions=@tidewire/source", "import=tsx/esm"],
  extension: ["ts"],
  // The machine of CI may be busy: a longer timeout costs time only where something hangs.
  timeout: process.env.CI === undefined ? 20_000 : 90_000,
  "forbid-only": true,
  require: ["./test/support/uws/load-first.ts", "./test/support/waiting/on-ci.ts"],
};
