// Closes what tests open, after each test or, for suites that share pages, programs or servers, after the suite.
import type { Server as HttpServer } from "node:http";
import type * as uWS from "uWebSockets.js";
import * as listening from "../../test/support/hosts/listening.ts";

type Closer = () => unknown;
const closers: Closer[] = [];

/** Runs `close` after the current test, the last one first. */
export function afterThisTest(close: Closer): void {
  closers.push(close);
}

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A `describe` that closes after each test what the test opened. */
export function suite(title: string, body: () => void): void {
  describe(title, () => {
    afterEach(closeAll);
    body();
  });
}

/** A `describe` whose tests share what they open; it closes after the last test. */
export function sharingSuite(title: string, body: () => void): void {
  describe(title, () => {
    after(closeAll);
    body();
  });
}

/** Listens on the loopback interface, on an ephemeral port by default; stops after the test. */
export async function listen(server: HttpServer, wished = 0, reusePort = false): Promise<number> {
  const { port, stop } = await listening.listen(server, wished, "127.0.0.1", reusePort);
  afterThisTest(stop);
  return port;
}

/** The same with a uWebSockets.js app. */
export function listenApp(app: uWS.TemplatedApp, wished = 0): number {
  const { port, stop } = listening.listenApp(app, wished);
  afterThisTest(stop);
  return port;
}
