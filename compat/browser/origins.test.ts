import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import session from "express-session";
import { describeWithChromium, type Browser } from "../../test/support/browser/chromium.ts";
import { sharingSuite } from "../support/after-test.ts";
import type { Server, ServerOptions } from "../../test/support/server/socketio.ts";
import { isFull } from "../support/cell.ts";
import type { CellHost, RestartableServer } from "../support/restartable.ts";
import { onEachHost, ways } from "./support/cells.ts";
import { codes, latest, type Client } from "./support/clients.ts";
import { startPages, startSite } from "./support/site.ts";
import { Tab, type PageClient } from "./support/tab.ts";

const ONCE = { reconnection: false, forceNew: true };

declare module "express-session" {
  interface SessionData {
    visits: number;
  }
}

describeWithChromium("browser: cross-origin pages", (browser) => {
  for (const client of codes) {
    for (const way of ["polling", "upgrade"] as const) {
      if (!isFull && client !== latest && way === "polling") continue;
      onEachHost(
        client,
        way,
        "credentials",
        (host) => declareCredentials(inOnePage(browser, client, host), client, way),
        sharingSuite,
      );
    }
  }
  onEachHost(
    latest,
    "polling",
    "CORS",
    (host) => declareCors(inOnePage(browser, latest, host)),
    sharingSuite,
  );
  onEachHost(
    latest,
    "websocket",
    "allowRequest",
    (host) => declareWebSocket(inOnePage(browser, latest, host)),
    sharingSuite,
  );
});

/** The server's URL for the page: another port of the same host, so that its cookies are same-site. */
function urlOf({ port }: RestartableServer): string {
  return `http://localhost:${port}`;
}

interface Opened {
  site: RestartableServer;
  page: PageClient;
}

/** Starts a server with options for the origin of the page. */
type Open = (
  options: (origin: string) => Partial<ServerOptions>,
  prepare?: (io: Server) => void,
) => Promise<Opened>;

/** Opens one page for all tests of the suite, and clears its cookies before each. */
function inOnePage(browser: () => Browser, client: Client, host: CellHost): Open {
  let tab: Tab;
  let origin = "";
  before(async () => {
    origin = `http://localhost:${await startPages()}`;
    tab = await Tab.open(browser(), origin, client);
  });
  beforeEach(() => tab.context.clearCookies());
  afterEach(() => tab.at().close());
  return async (options, prepare) => ({
    site: await startSite(host, client, options(origin), prepare),
    page: tab.at(),
  });
}

function declareCredentials(open: Open, client: Client, way: "polling" | "upgrade"): void {
  const allowed = (origin: string): Partial<ServerOptions> => ({
    cors: { origin, credentials: true },
    cookie: { name: "io", path: "/", httpOnly: true, sameSite: "lax" },
  });

  it("include the session's cookie in every request after the first", async () => {
    const seen: (string | undefined)[] = [];
    const { site, page } = await open(allowed, (io) => {
      io.engine.on(
        "headers",
        (_: object, request: IncomingMessage) => void seen.push(request.headers.cookie),
      );
    });
    const options = { ...ways[way], ...ONCE, withCredentials: true };
    await page.connected(options, urlOf(site));
    if (way === "upgrade") await page.upgraded();
    await page.ask("echo", "more requests");
    const socket = await site.sockets.next();
    const { id } = socket.conn as unknown as { id: string };
    const [first, ...others] = seen;
    assert.equal(first, undefined);
    assert.ok(others.length > 0);
    assert.deepEqual(
      others,
      others.map(() => `io=${id}`),
    );
  });

  it("keep an express-session across connections", async () => {
    // Shared by all workers, where there are several.
    const store = new session.MemoryStore();
    const { site, page } = await open(allowed, (io) => {
      const cookie = { sameSite: "lax" } as const;
      io.engine.use(session({ store, secret: "tide", resave: false, saveUninitialized: true, cookie }));
      io.use((socket, next) => {
        const { session } = socket.request as IncomingMessage & {
          session: session.Session & session.SessionData;
        };
        session.visits = (session.visits ?? 0) + 1;
        socket.data = session.visits;
        session.save(next);
      });
    });
    const options = { ...ways[way], ...ONCE, withCredentials: true };
    for (const visits of [1, 2, 3]) {
      await page.connected(options, urlOf(site));
      assert.equal((await site.sockets.next()).data, visits);
      await page.close();
    }
  });

  // version 2 always sends credentials
  if (client.protocol === 3) return;

  it("are not sent unless the page asks for them", async () => {
    const { site, page } = await open(allowed);
    await page.connected({ ...ways.polling, ...ONCE }, urlOf(site));
    await page.close();
    await page.connected({ ...ways.polling, ...ONCE }, urlOf(site));
    await site.sockets.next();
    assert.equal((await site.sockets.next()).handshake.headers.cookie, undefined);
  });
}

function declareCors(open: Open): void {
  const cases: [string, (origin: string) => Partial<ServerOptions>, object, string | undefined][] = [
    ["allows any origin with *", () => ({ cors: { origin: "*" } }), {}, undefined],
    [
      "allows an origin in a list",
      (origin) => ({ cors: { origin: ["http://a.example", origin] } }),
      {},
      undefined,
    ],
    [
      "allows an origin that matches a pattern",
      () => ({ cors: { origin: /^http:\/\/localhost:\d+$/ } }),
      {},
      undefined,
    ],
    ["refuses every origin without the cors option", () => ({}), {}, "xhr poll error"],
    [
      "refuses an origin other than the allowed one",
      () => ({ cors: { origin: "http://a.example" } }),
      {},
      "xhr poll error",
    ],
    [
      "refuses credentials with *",
      () => ({ cors: { origin: "*", credentials: true } }),
      { withCredentials: true },
      "xhr poll error",
    ],
    [
      "refuses credentials without the credentials option",
      (origin) => ({ cors: { origin } }),
      { withCredentials: true },
      "xhr poll error",
    ],
    [
      "allows a header in allowedHeaders",
      (origin) => ({ cors: { origin, allowedHeaders: ["x-tide"] } }),
      { extraHeaders: { "x-tide": "high" } },
      undefined,
    ],
    [
      "refuses a header that is not in allowedHeaders",
      (origin) => ({ cors: { origin, allowedHeaders: ["x-other"] } }),
      { extraHeaders: { "x-tide": "high" } },
      "xhr poll error",
    ],
  ];
  for (const [title, server, options, error] of cases) {
    it(title, async () => {
      const { site, page } = await open(server);
      await page.open({ ...ways.polling, ...ONCE, ...options }, urlOf(site));
      if (error !== undefined) {
        assert.deepEqual(await page.take("connect_error"), [{ message: error }]);
        assert.equal(site.sockets.pending.length, 0);
        return;
      }
      await page.take("connect");
      assert.deepEqual(await page.ask("echo", "from elsewhere"), ["from elsewhere"]);
      const { extraHeaders } = options as { extraHeaders?: Record<string, string> };
      const { headers } = (await site.sockets.next()).handshake;
      assert.equal(headers["x-tide"], extraHeaders?.["x-tide"]);
    });
  }
}

function declareWebSocket(open: Open): void {
  const allowOnly = (allowed: string): Partial<ServerOptions> => ({
    allowRequest: (request, decide) => decide(null, request.headers.origin === allowed),
  });

  it("accepts the allowed origin", async () => {
    const { site, page } = await open(allowOnly);
    await page.connected({ ...ways.websocket, ...ONCE }, urlOf(site));
    assert.deepEqual(await page.ask("echo", "from elsewhere"), ["from elsewhere"]);
  });

  it("refuses another origin", async () => {
    const { site, page } = await open(() => allowOnly("http://a.example"));
    await page.open({ ...ways.websocket, ...ONCE }, urlOf(site));
    assert.deepEqual(await page.take("connect_error"), [{ message: "websocket error" }]);
    assert.equal(site.sockets.pending.length, 0);
  });
}
