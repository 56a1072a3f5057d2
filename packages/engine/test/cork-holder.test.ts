import assert from "node:assert/strict";
import { CorkHolder } from "../src/host/uws/cork-holder.ts";
import { warningsOf } from "../../../test/support/process/warnings.ts";

describe("the connection that holds the cork of uWebSockets.js", () => {
  it("holds nobody up where it cannot be made, and warns once", async () => {
    let attempts = 0;
    const holder = new CorkHolder(() => {
      attempts++;
      return new Error("there is none");
    });
    assert.equal(holder.isSettled, false);
    const warnings = await warningsOf("TIDEWIRE_LATE_UPGRADE", async () => {
      await new Promise<void>((resolve) => holder.whenSettled(resolve));
      await new Promise<void>((resolve) => holder.whenSettled(resolve));
    });
    assert.equal(holder.isSettled, true);
    assert.equal(attempts, 1);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /there is none/);
    assert.equal(
      holder.hold(() => assert.fail("nothing is held")),
      false,
    );
  });
});
