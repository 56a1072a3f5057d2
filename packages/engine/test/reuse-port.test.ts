import assert from "node:assert/strict";
import { canReusePort } from "../src/host/node/reuse-port.ts";

describe("whether node:http can share a port", () => {
  const cases: readonly [version: string, platform: string, can: boolean][] = [
    ["20.20.2", "linux", false],
    ["22.11.0", "linux", false],
    ["22.12.0", "linux", true],
    ["23.0.0", "linux", false],
    ["23.1.0", "linux", true],
    ["24.0.0", "linux", true],
    ["24.0.0", "freebsd", true],
    ["24.0.0", "darwin", false],
    ["24.0.0", "win32", false],
  ];
  for (const [version, platform, can] of cases)
    it(`Node ${version} on ${platform}: ${can}`, () => assert.equal(canReusePort(version, platform), can));
});
