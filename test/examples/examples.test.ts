// The examples, as a user starts them, with the official client and, where a page is the point, in Chromium.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { describeWithChromium, type Browser, type Page } from "../support/browser/chromium.ts";
import { Example, folderOf } from "../support/examples/example.ts";
import { built } from "../support/process/built.ts";
import { connected } from "../support/server/clients.ts";
import { collect, next } from "../support/waiting/events.ts";
import { within } from "../support/waiting/queue.ts";

/** Next.js is installed first, which takes some seconds and 350 MB: only in the gate, and on demand. */
const isComplete = process.env["EXAMPLES"] === "all" || process.env["CI"] !== undefined;

/** What each example is started with. All start at once: they mostly wait. The slowest is the first. */
const EXAMPLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...(isComplete ? { nextjs: { NEXT_TELEMETRY_DISABLED: "1" } } : {}),
  nestjs: {},
  cluster: {},
  contract: {},
  express: {},
  "ultimate-express": {},
  fastify: {},
  jwt: { LIFETIME: "5" },
  game: {},
  dashboard: {},
};
/** The chat is tested in test/browser. */
const OTHERS = ["chat", ...(isComplete ? [] : ["nextjs"])];

const running = new Map<string, Promise<Example>>();
const clients: Socket[] = [];
const pages: Page[] = [];

function connect(url: string, options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
  const client = io(url, { forceNew: true, ...options });
  clients.push(client);
  return client;
}

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  pages.push(page);
  await page.goto(url);
  return page;
}

async function post(url: string, body?: unknown): Promise<Response> {
  if (body === undefined) return fetch(url, { method: "POST" });
  const headers = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Declares the tests of an example; `started()` is its process. */
function describeExample(name: string, declare: (started: () => Example) => void): void {
  describe(name, function () {
    this.timeout(200_000);
    let example: Example;
    before(async () => {
      example = await running.get(name)!;
    });
    declare(() => example);
  });
}

describe("the examples", () => {
  before(async function () {
    this.timeout(200_000);
    await built();
    for (const [name, env] of Object.entries(EXAMPLES)) {
      const starting = Example.start(name, env);
      // The tests of the example say it.
      starting.catch(() => {});
      running.set(name, starting);
    }
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });
  after(async function () {
    this.timeout(20_000);
    await Promise.all([...running.values()].map(async (starting) => (await starting).stop()).map(settled));
  });

  it("are all tested, listed, and described in a few lines", () => {
    const list = readFileSync(join(folderOf("."), "../docs/examples.md"), "utf8");
    const names = readdirSync(folderOf(".")).filter((name) =>
      existsSync(join(folderOf(name), "package.json")),
    );
    assert.deepEqual(names.toSorted(), [...OTHERS, ...Object.keys(EXAMPLES)].toSorted());
    for (const name of names) {
      assert.ok(list.includes(`(../examples/${name})`), `docs/examples.md does not list ${name}`);
      const readme = readFileSync(join(folderOf(name), "README.md"), "utf8");
      assert.match(readme, /npm start/, `the README of ${name} does not say how to start it`);
      assert.ok(readme.trimEnd().split("\n").length <= 10, `the README of ${name} has more than ten lines`);
    }
  });

  it("build no packages when they start: that is done once before", async () => {
    const outputs = await Promise.all([...running.values()].map(async (starting) => (await starting).output));
    assert.deepEqual(
      outputs.filter((output) => output.includes("Building")),
      [],
    );
  }).timeout(200_000);

  describeExample("fastify", (started) => {
    it("tells every client of a vote by POST", async () => {
      const client = connect(started().url);
      assert.deepEqual(await next(client, "votes"), [{ "high tide": 0, "low tide": 0 }]);
      const votes = next(client, "votes");
      assert.equal((await post(`${started().url}/votes/high%20tide`)).status, 204);
      assert.deepEqual(await votes, [{ "high tide": 1, "low tide": 0 }]);
      assert.equal((await post(`${started().url}/votes/none`)).status, 400);
    });
  });

  for (const name of ["express", "ultimate-express"]) {
    describeExample(name, (started) => {
      for (const transport of ["polling", "websocket"]) {
        it(`tells every client of a note by POST, over ${transport}`, async () => {
          const client = connect(started().url, { transports: [transport] });
          await next(client, "notes");
          const note = next<[{ text: string }]>(client, "note");
          assert.equal((await post(`${started().url}/notes`, { text: `by ${transport}` })).status, 201);
          assert.equal((await note)[0].text, `by ${transport}`);
        });
      }

      it("refuses an empty note", async () => {
        const response = await post(`${started().url}/notes`, { text: " " });
        assert.deepEqual(
          [response.status, await response.json()],
          [400, { error: "A note has 1 to 200 characters." }],
        );
      });
    });
  }

  describeExample("express", (started) => {
    it("gives requests of both the same headers", async () => {
      const page = await fetch(started().url);
      const handshake = await fetch(`${started().url}/socket.io/?EIO=4&transport=polling`);
      for (const { headers } of [page, handshake])
        assert.equal(headers.get("x-content-type-options"), "nosniff");
      await Promise.all([page.text(), handshake.text()]);
    });
  });

  describeExample("nestjs", (started) => {
    it("tells a guest that the dish is ready", async () => {
      const guest = connect(started().url);
      const order = (await guest.emitWithAck("order", "soup")) as { id: number };
      assert.deepEqual(order, { id: order.id, dish: "soup", isReady: false });
      const ready = next(guest, "ready");
      assert.equal((await post(`${started().url}/orders/${order.id}/ready`)).status, 201);
      assert.deepEqual(await ready, [{ ...order, isReady: true }]);
    });

    it("answers an order of nothing with an exception", async () => {
      const guest = connect(started().url);
      const exception = next<[{ message: string }]>(guest, "exception");
      guest.emit("order", "");
      assert.equal((await exception)[0].message, "Name a dish.");
    });

    it("has Tidewire as its socket.io", () => {
      const adapter = createRequire(join(folderOf("nestjs"), "src/main.ts")).resolve(
        "@nestjs/platform-socket.io",
      );
      for (const file of [join(folderOf("nestjs"), "src/main.ts"), adapter]) {
        const found = createRequire(file).resolve("socket.io");
        assert.ok(found.startsWith(join(folderOf(".."), "packages/server/")), found);
      }
    });
  });

  if (!isComplete) {
    it("nextjs: its page can be bundled; EXAMPLES=all installs Next.js and runs it", async () => {
      const { errors } = await build({
        entryPoints: ["layout.jsx", "page.jsx"].map((file) => join(folderOf("nextjs"), "app", file)),
        bundle: true,
        write: false,
        outdir: "none",
        jsx: "automatic",
        external: ["react", "react/jsx-runtime"],
      });
      assert.deepEqual(errors, []);
    });
  }

  describeExample("contract", (started) => {
    it("takes boats, and answers what does not match with the reason", async () => {
      await using client = started().run("contract", "client");
      assert.equal(await client.ended(), 0);
      const [taken, free, refused] = client.output.split("\n");
      assert.deepEqual([taken, free], ["Dory lies at 1", "1 is free"]);
      const { error } = JSON.parse(refused!) as { error: { code: string; issues: { path: unknown[] }[] } };
      assert.equal(error.code, "INVALID_EVENT");
      assert.deepEqual(error.issues[0]!.path, [0, "length"]);
      await started().says(/boat:arrive: .*number/);
    });
  });

  describeExample("jwt", (started) => {
    it("refuses a wrong password and a wrong token", async () => {
      assert.equal((await post(`${started().url}/login`, { user: "ada", password: "?" })).status, 401);
      const [error] = await next<[Error]>(connect(started().url, { auth: { token: "?" } }), "connect_error");
      assert.equal(error.message, "invalid token");
    });

    it("keeps a client that refreshes its token, and ends one that does not", async () => {
      await using client = started().run("jwt", "client");
      const login = await post(`${started().url}/login`, { user: "ada", password: "lovelace" });
      const idle = connect(started().url, { auth: (await login.json()) as object });
      // Nobody takes the answer.
      idle.emit("who am i");
      const [{ code }] = await next<[{ code: string }]>(idle, "auth:ended");
      assert.equal(code, "AUTH_EXPIRED");
      await client.says(/^connected as ada\nrefreshed\n/);
      assert.doesNotMatch(client.output, /ended|refused/);
    });
  });

  describeExample("cluster", (started) => {
    before(() => started().says(/(has met .*: 3 nodes[^]*){3}/));

    for (const transport of ["polling", "websocket"]) {
      it(`is one server in three processes, over ${transport}`, async () => {
        const all: Socket[] = [];
        let who: { id: string; node: string }[] = [];
        while (new Set(who.map(({ node }) => node)).size < 3) {
          const three = [1, 2, 3].map(() => connect(started().url, { transports: [transport] }));
          await Promise.all(three.map(connected));
          all.push(...three);
          who = (await all[0]!.emitWithAck("who")) as typeof who;
        }
        // Those of the test before may still be there.
        const ids = new Set(who.map(({ id }) => id));
        assert.ok(all.every(({ id }) => ids.has(id!)));
        const heard = all.map((client) => next<[{ text: string }]>(client, "said"));
        // Nobody takes the answer.
        all[0]!.emit("who");
        all[0]!.emit("say", "ahoy");
        for (const [{ text }] of await Promise.all(heard)) assert.equal(text, "ahoy");
      });
    }

    it("recovers a client in any of them, with what it has missed", async () => {
      const client = connect(started().url, { transports: ["websocket"], reconnectionDelay: 300 });
      const other = connect(started().url, { transports: ["websocket"] });
      await Promise.all([connected(client), connected(other)]);
      const { id } = client;
      client.io.engine.close();
      const heard = next<[{ text: string }]>(client, "said");
      const back = next(client, "connect");
      other.emit("say", "into the tunnel");
      assert.equal((await heard)[0].text, "into the tunnel");
      await back;
      assert.deepEqual([client.recovered, client.id], [true, id]);
    });
  });

  describeWithChromium("as a page", (browser) => {
    describeExample("express", (started) => {
      it("pins a note for everybody", async () => {
        const [one, other] = await Promise.all([1, 2].map(() => open(browser(), started().url)));
        await one!.getByText("2 read this").waitFor();
        await one!.getByLabel("Note").fill("Mind the <b>tide</b>");
        await one!.getByRole("button", { name: "Pin it" }).click();
        await other!.getByText("Mind the <b>tide</b>").waitFor();
        await other!.locator("#line code").filter({ hasText: "polling → websocket" }).waitFor();
      });
    });

    describeExample("game", (started) => {
      it("spares a slow reader all frames but the newest, or lets all of them wait", async () => {
        const page = await open(browser(), started().url);
        await above(page, "#mine-rate", 20);
        await above(page, "#slow-rate", 1);
        await page.getByRole("button", { name: "Stop reading" }).click();
        await page.getByLabel("Conflate").uncheck();
        await above(page, "#waiting", 5);
        await page.getByLabel("Conflate").check();
        await page.getByRole("button", { name: "Read again" }).click();
        await above(page, "#slow-skipped", 10);
        const [mine, slow] = await page.locator("#mine-skipped, #slow-skipped").allInnerTexts();
        assert.ok(Number(mine) < Number(slow), `${mine} and ${slow} frames skipped`);
      });

      it("moves the boat of a player", async () => {
        const client = connect(started().url, { transports: ["websocket"] });
        await connected(client);
        client.emit("steer", 500, 300);
        const frames = await collect(client, "frame", 5);
        const places = frames.map(([frame]) => {
          const { boats } = frame as { boats: [string, number, number, number][] };
          return boats.find(([id]) => id === client.id)!.join();
        });
        assert.ok(new Set(places).size > 1);
      });
    });

    describeExample("dashboard", (started) => {
      it("counts visitors, and tells them what is broadcast", async () => {
        const page = await open(browser(), started().url);
        await page.getByRole("button", { name: "Add 10" }).click();
        await above(page, "[data-name='WebSockets'] b", 10);
        await above(page, "[data-name='Messages in'] b", 1);
        await page.getByRole("button", { name: "Send", exact: true }).click();
        await page.getByText("“High tide at six”, heard by 10").waitFor();
        await page.getByRole("button", { name: "Send home" }).click();
        await page.locator("[data-name='WebSockets'] b").filter({ hasText: /^1\b/ }).waitFor();
      });
    });

    if (isComplete) describeNext(browser);
  });
});

function describeNext(browser: () => Browser): void {
  describeExample("nextjs", (started) => {
    it("renders a page whose component is connected", async () => {
      const client = connect(started().url);
      const [level] = await next<[number]>(client, "level");
      // The page is built for its first request, which takes as long as it does.
      assert.equal((await fetch(started().url)).status, 200);
      const page = await open(browser(), started().url);
      await page.getByText("Level, over websocket").waitFor();
      const risen = next(client, "level");
      await page.getByRole("button", { name: "Flow" }).click();
      assert.deepEqual(await risen, [level + 1]);
      await page
        .locator("output")
        .filter({ hasText: String(level + 1) })
        .waitFor();
    });
  });
}

/** Waits until the number in a part of the page is this or more. */
async function above(page: Page, selector: string, least: number): Promise<void> {
  const reached = page.waitForFunction(
    ([where, wanted]) =>
      Number.parseFloat(document.querySelector(String(where))?.textContent ?? "") >= Number(wanted),
    [selector, least] as const,
  );
  await within(reached, `${selector} to reach ${least}`);
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
