// Sections of the suite share pages, programs and servers between tests; what they open is closed by whoever declares the suite.
import type { Server as HttpServer } from "node:http";
import type * as uWS from "uWebSockets.js";
import * as listening from "../../test/support/hosts/listening.ts";

type Closer = () => unknown;
const closers: Closer[] = [];

/** Runs `close` after the present test, the latest registered first. */
export function afterThisTest(close: Closer): void {
  closers.push(close);
}

async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** `describe` that closes after every test what the test opened. */
export function suite(title: string, body: () => void): void {
  describe(title, () => {
    afterEach(closeAll);
    body();
  });
}

/** `describe` whose tests share what they open: it is closed after the last of them. */
export function sharingSuite(title: string, body: () => void): void {
  describe(title, () => {
    after(closeAll);
    body();
  });
}

/** Listens on the loopback interface, on an ephemeral port by default; closed after the test. */
export async function listen(server: HttpServer, wished = 0): Promise<number> {
  const { port, stop } = await listening.listen(server, wished);
  afterThisTest(stop);
  return port;
}

/** The same with an app of uWebSockets.js. */
export function listenApp(app: uWS.TemplatedApp, wished = 0): number {
  const { port, stop } = listening.listenApp(app, wished);
  afterThisTest(stop);
  return port;
}
