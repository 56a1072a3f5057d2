import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resetsWaitingConnections } from "../src/supervisor/migrate-req.ts";
import { closing } from "../../../test/support/waiting/closing.ts";

describe("whether the kernel resets connections that wait", () => {
  it("is what tcp_migrate_req says; no where there is no such setting", () => {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    using _folder = closing(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "tcp_migrate_req");
    assert.equal(resetsWaitingConnections(file), false);
    writeFileSync(file, "0\n");
    assert.equal(resetsWaitingConnections(file), true);
    writeFileSync(file, "1\n");
    assert.equal(resetsWaitingConnections(file), false);
  });
});
