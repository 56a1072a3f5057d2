/** A part of the suite: a folder of compat/, whose tests run in a process of their own. */
export interface Section {
  readonly name: string;
  /** What its tests hold Tidewire against. */
  readonly about: string;
  /** Whether official servers or clients run in the same process; they let timers run on after they were closed. */
  readonly hasOfficial?: boolean;
}

/** In the order in which they start: the longest first. */
export const sections: readonly Section[] = [
  { name: "packages", about: "published packages over the alias, with Redis and PostgreSQL" },
  { name: "clients", about: "official clients of every major version, in Node", hasOfficial: true },
  { name: "browser", about: "Chromium with the official bundles" },
  { name: "differential", about: "the same scenario against the official server", hasOfficial: true },
  { name: "python", about: "the client of Python" },
];

/** The test files of a section, for mocha. */
export function filesOf(section: Section): string {
  return `compat/${section.name}/**/*.test.ts`;
}
