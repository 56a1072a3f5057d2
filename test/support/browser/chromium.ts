import { chromium, type Browser } from "playwright-core";
import { findChromium, whyNoChromium } from "../../../scripts/setup.mjs";

export type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

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

/** Suites that still need the one Chromium of this process. */
let waiting = 0;
let launched: Promise<Browser> | undefined;

async function launch(executablePath: string): Promise<Browser> {
  const present = await launched;
  if (present?.isConnected()) return present;
  launched = chromium.launch({ executablePath, args: FLAGS });
  return launched;
}

async function close(): Promise<void> {
  const browser = await launched;
  launched = undefined;
  await browser?.close();
}

// Suites that --grep excludes do not report that they are done.
after(close);

/**
 * Declares a suite that needs Chromium; all of them share one. Where there is none, the suite is one pending test that
 * names the reason; with CI set, one failing test.
 */
export function describeWithChromium(title: string, declare: (browser: () => Browser) => void): void {
  const executablePath = findChromium();
  describe(title, function () {
    if (executablePath === undefined) {
      const missing = whyNoChromium();
      if (!process.env.CI) return void it(`needs a browser: ${missing}`);
      return void it("has a browser", () => {
        throw new Error(missing);
      });
    }

    this.timeout(20_000);
    waiting++;
    let browser: Browser | undefined;
    before(async () => {
      browser = await launch(executablePath);
    });
    after(async () => {
      if (--waiting === 0) await close();
    });
    declare(() => browser!);
  });
}
