import assert from "node:assert/strict";
import { mkdir, readdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { siteFiles } from "../../docs/site/files.ts";
import { serveOnNode } from "../../docs/site/hosts.ts";
import { describeWithChromium } from "../support/browser/chromium.ts";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "../support/browser/chromium.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { PATIENCE } from "../support/waiting/queue.ts";
import { buildSite, startSite } from "./support/site-process.ts";
import type { SiteHost, SiteProcess } from "./support/site-process.ts";

const PACKAGES = fileURLToPath(new URL("../../packages", import.meta.url));
const ARTIFACTS = fileURLToPath(new URL("../../artifacts", import.meta.url));

/** How long a test of several steps may take on a busy machine, in ms. */
const PATIENCE_OF_ALL = 60_000;

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const VIEWS: { name: string; options: BrowserContextOptions }[] = [
  { name: "desktop-light", options: { viewport: DESKTOP, colorScheme: "light" } },
  { name: "desktop-dark", options: { viewport: DESKTOP, colorScheme: "dark" } },
  { name: "phone-light", options: { viewport: PHONE, colorScheme: "light" } },
  { name: "phone-dark", options: { viewport: PHONE, colorScheme: "dark" } },
];

/** A page of each kind. */
const PAGES = {
  start: "/",
  guide: "/delivery.html",
  tables: "/differences.html",
  figures: "/performance.html",
  package: "/api/server/",
  class: "/api/server/classes/Socket.html",
};

/** A page in a profile of its own, which may talk to the site alone and must not complain. */
class Visit {
  readonly page: Page;
  readonly problems: string[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, site: string) {
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.problems.push(message.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(site) && !url.startsWith("data:")) this.problems.push(`a request to ${url}`);
    });
  }

  static async begin(browser: Browser, site: string, options: BrowserContextOptions): Promise<Visit> {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(PATIENCE);
    return new Visit(context, await context.newPage(), site);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

describeWithChromium("the site", (browser) => {
  const hosts: Record<SiteHost, string> = { uws: "uWebSockets.js", node: "node:http" };
  const sites: Partial<Record<SiteHost, SiteProcess>> = {};
  /** The one whose pages are looked at; on both hosts they are the same files. */
  let site: SiteProcess;

  before(async function () {
    this.timeout(300_000);
    await mkdir(ARTIFACTS, { recursive: true });
    // Without warnings of the API reference, dead links, and requests to other hosts.
    await buildSite();
    const available = whyNoUws === undefined ? (["node", "uws"] as const) : (["node"] as const);
    await Promise.all(available.map(async (host) => (sites[host] = await startSite(host))));
    site = sites.uws ?? sites.node!;
  });
  after(async () => {
    await Promise.all(Object.values(sites).map((each) => each.stop()));
  });

  const visit = (
    options: BrowserContextOptions = { viewport: DESKTOP },
    visited: SiteProcess = site,
  ): Promise<Visit> => Visit.begin(browser(), visited.url, options);

  for (const { name, options } of VIEWS) {
    it(`fits, and logs no error: ${name}`, async () => {
      await using visitor = await visit(options);
      const { page, problems } = visitor;
      // Nothing but colours depends on the scheme.
      const isDark = options.colorScheme === "dark";
      const kinds = Object.entries(PAGES).filter(([kind]) => !isDark || kind === "start" || kind === "class");
      for (const [kind, path] of kinds) {
        await page.goto(site.url + path);
        await page.locator(".VPContent").waitFor();
        if (kind === "start") await page.getByText(/^Connected/).waitFor();
        const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert.equal(wider, 0, `${path} scrolls to the side`);
        await page.screenshot({
          path: join(ARTIFACTS, `site-${kind}-${name}.png`),
          fullPage: kind === "start",
        });
      }
      assert.deepEqual(problems, []);
    }).timeout(PATIENCE_OF_ALL);
  }

  for (const { name, options } of VIEWS.filter(({ name: each }) => each.endsWith("light"))) {
    it(`is searched without another host: ${name}`, async () => {
      await using visitor = await visit(options);
      const { page, problems } = visitor;
      await page.goto(site.url);
      await page.getByRole("button", { name: "Search" }).first().click();
      await page.getByRole("searchbox").fill("slow reader");
      const found = page.locator(".VPLocalSearchBox .results a").first();
      await found.waitFor();
      await page.screenshot({ path: join(ARTIFACTS, `site-search-${name}.png`) });
      await found.click();
      await page.waitForURL(/\.html/);
      await page.locator(".vp-doc h1").first().waitFor();
      assert.deepEqual(problems, []);
    });
  }

  it("finds the method of a class", async () => {
    await using visitor = await visit();
    const { page } = visitor;
    await page.goto(site.url);
    await page.getByRole("button", { name: "Search" }).first().click();
    await page.getByRole("searchbox").fill("serverSideEmitWithAck");
    await page.locator('.VPLocalSearchBox .results a[href*="/api/server/classes/"]').first().waitFor();
  });

  for (const [host, name] of Object.entries(hosts) as [SiteHost, string][]) {
    it(`has a demo that recovers what it missed, on ${name}`, async function () {
      const visited = sites[host];
      if (visited === undefined) this.skip();
      await using visitor = await visit({ viewport: DESKTOP }, visited);
      const { page, problems } = visitor;
      await page.goto(visited.url);
      const demo = page.getByRole("region", { name: "Live demo" });
      await demo.getByText(name, { exact: true }).waitFor();
      await demo.getByText("polling → websocket").waitFor();
      await demo.getByLabel("Message", { exact: true }).fill("anybody there?");
      await demo.getByRole("button", { name: "Send" }).click();
      await demo.getByRole("listitem").filter({ hasText: "anybody there?" }).waitFor();

      // The client comes back once the test has looked, not when its delay is over.
      let comeBack!: () => void;
      const looked = new Promise<void>((resolve) => (comeBack = resolve));
      await page.route("**/socket.io/**", async (route) => {
        await looked;
        await route.continue();
      });
      await demo.getByRole("button", { name: "Cut the connection" }).click();
      await demo.getByText(/^Cut:/).waitFor();
      // What is said meanwhile waits.
      await demo.getByLabel("Message", { exact: true }).fill("still here");
      await demo.getByRole("button", { name: "Send" }).click();
      await demo.getByText("1 waiting for the connection").waitFor();
      await page.screenshot({ path: join(ARTIFACTS, `site-demo-cut-${host}.png`) });
      comeBack();

      await demo.getByText(/^Recovered: [1-9]\d* measurements came late, none missing$/).waitFor();
      await demo.getByRole("listitem").filter({ hasText: "still here" }).waitFor();
      await page.screenshot({ path: join(ARTIFACTS, `site-demo-recovered-${host}.png`) });
      assert.deepEqual(problems, []);
    }).timeout(PATIENCE_OF_ALL);
  }

  it("says plainly when no server is behind it", async () => {
    await using httpServer = serveOnNode(siteFiles(undefined)).listen(0);
    const url = `http://localhost:${(httpServer.address() as AddressInfo).port}`;
    await using visitor = await Visit.begin(browser(), url, { viewport: DESKTOP });
    const { page, problems } = visitor;
    await page.goto(url);
    await page.getByText("No server is behind this copy of the page").waitFor();
    await page.screenshot({ path: join(ARTIFACTS, "site-demo-static.png") });
    assert.deepEqual(problems, []);
  });

  it("refers to whatever applications can import", async () => {
    const folders = await readdir(PACKAGES);
    const entryPoints = await Promise.all(
      folders.map(async (folder) => {
        const manifest = JSON.parse(await readFile(join(PACKAGES, folder, "package.json"), "utf8")) as {
          exports: Record<string, string | object>;
        };
        const subpaths = Object.keys(manifest.exports).filter(
          (key) => typeof manifest.exports[key] === "object",
        );
        return subpaths.map((subpath) => posix.join("/api", folder, subpath, "/"));
      }),
    );
    for (const path of entryPoints.flat()) assert.equal((await fetch(site.url + path)).status, 200, path);
  });

  it("has the notes of its tables", async () => {
    const page = await (await fetch(`${site.url}/compatibility.html`)).text();
    assert.match(page, /<sup class="footnote-ref"><a href="#fn1"/);
    assert.match(page, /<li id="fn1"/);
    assert.doesNotMatch(page, /\[\^\d/);
  });

  it("has a page for what does not exist", async () => {
    for (const { url } of Object.values(sites)) {
      const response = await fetch(`${url}/nowhere.html`);
      assert.equal(response.status, 404);
      assert.match(await response.text(), /<html /);
      for (const path of ["/%2e%2e/package.json", "/..%2fpackage.json", "/%ff"]) {
        assert.equal((await fetch(url + path)).status, 404, path);
      }
    }
  });
});
