// Puts the optional binaries of other platforms into package-lock.json. `npm install` leaves out those that its registry does
// not have, and `npm ci` then refuses the lock everywhere. Run it after each change of dependencies.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const SYSTEMS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const PROCESSORS = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];
const ALIASES = { x64: "64", win32: "windows" };

const added = [];
for (const owner of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    // Ranges are resolved by npm itself; a binary is pinned by its owner.
    if (lock.packages[path] !== undefined || !/^\d/.test(version)) continue;
    lock.packages[path] = {
      version,
      ...restriction("cpu", PROCESSORS, name),
      ...(owner.dev ? { dev: true } : {}),
      ...restriction("libc", ["musl"], name),
      optional: true,
      ...restriction("os", SYSTEMS, name),
    };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? "package-lock.json was complete" : `Added ${added.join(", ")}`);

/** What the name of a binary says about where it runs. */
function restriction(field, values, name) {
  const parts = name.split(/[^a-z0-9]/);
  const value = values.find((each) => parts.includes(ALIASES[each] ?? each) || parts.includes(each));
  return value === undefined ? {} : { [field]: [value] };
}
