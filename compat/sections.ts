/** A part of the suite: a folder of compat/, whose tests run in their own process. */
export interface Section {
  readonly name: string;
  /** What Tidewire is tested with. */
  readonly about: string;
  /** Whether official servers or clients run in the same process; they leave timers running after they close. */
  readonly hasOfficial?: boolean;
  /** Whether it is left out of the quick form, because each of its parts takes long to build. */
  readonly isFullOnly?: boolean;
}

/** All sections, the longest first. */
export const sections: readonly Section[] = [
  { name: "packages", about: "published packages with the alias, Redis and PostgreSQL" },
  { name: "clients", about: "official clients of every major version, in Node", hasOfficial: true },
  { name: "browser", about: "Chromium with the official bundles" },
  { name: "differential", about: "the same scenario against the official server", hasOfficial: true },
  { name: "frameworks", about: "frameworks that build what they serve, in production", isFullOnly: true },
  { name: "python", about: "the Python client" },
];

/** The glob of a section's test files, for mocha. */
export function filesOf(section: Section): string {
  return `compat/${section.name}/**/*.test.ts`;
}
