import { chromium, type Browser } from "playwright-core";
import { findChromium, whyNoChromium } from "../../../scripts/setup.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Two pages are open and one of them is always in the background.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
];

/**
 * Declares a suite that needs Chromium. Where there is none, the suite is one pending test that names the reason;
 * with CI set, one failing test.
 */
export function describeWithChromium(title: string, declare: (browser: () => Browser) => void): void {
  const executablePath = findChromium();
  describe(title, function () {
    if (executablePath === undefined) {
      const missing = whyNoChromium();
      if (!process.env.CI) return void it(`waits for a browser: ${missing}`);
      return void it("has a browser", () => {
        throw new Error(missing);
      });
    }

    this.timeout(20_000);
    let browser: Browser | undefined;
    before(async () => {
      browser = await chromium.launch({ executablePath, args: FLAGS });
    });
    after(() => browser?.close());
    declare(() => browser!);
  });
}
