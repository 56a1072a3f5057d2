/**
 * Declares a suite that needs a server; without it, one pending test with the reason, or one failing test if CI is set.
 *
 * @param missing - why it cannot be started on this machine; undefined if it can
 */
export function describeWith(
  name: string,
  missing: string | undefined,
  title: string,
  body: (this: Mocha.Suite) => void,
): void {
  describe(title, function () {
    if (missing === undefined) return body.call(this);
    if (!process.env["CI"]) return void it(`needs ${name}: ${missing}`);
    it(`finds ${name}`, () => {
      throw new Error(missing);
    });
  });
}
