import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import type { FoundNode } from "../src/discovery/discovery.ts";
import { dns } from "../src/discovery/dns.ts";

describe("dns()", () => {
  it("makes one look-up at a time, and another one for all who ask meanwhile", async () => {
    const discovery = dns("localhost:4000");
    const found: (readonly FoundNode[])[] = [];
    let onSecond = (): void => {};
    const second = new Promise<void>((resolve) => (onSecond = resolve));
    discovery.start("test", {
      onNodes: (nodes) => found.push(nodes) === 2 && onSecond(),
      onTaken() {},
      onAway(error) {
        throw error;
      },
      onBack() {},
    });
    for (let count = 0; count < 20; count++) discovery.refresh();
    await second;
    // Others that had begun would be answered before.
    for (let count = 0; count < 4; count++) await lookup("localhost");
    assert.ok(found.length < 10, `${found.length} look-ups`);
    assert.ok(found[0]!.some(({ address }) => /^(127\.0\.0\.1|\[::1\]):4000$/.test(address)));
    await discovery.close();
  });
});
