// Tests for the runner to run: a hook keeps them from it.
describe("with a hook", () => {
  before("prepare", () => {
    throw new Error("not prepared");
  });

  it("is never run", () => {});
});
