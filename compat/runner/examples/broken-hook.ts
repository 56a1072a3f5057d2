// Example for section-process.test.ts: a hook fails.
describe("with a hook", () => {
  before("prepare", () => {
    throw new Error("not prepared");
  });

  it("never runs", () => {});
});
