import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import type { Socket } from "@tidewire/server";
import type { Socket as ClientSocket } from "socket.io-client";
import { describeWithChromium } from "../support/browser/chromium.ts";
import type { Browser, BrowserContextOptions, Page } from "../support/browser/chromium.ts";
import { until } from "../support/engine/peers.ts";
import { connected } from "../support/server/clients.ts";
import { openClient } from "../support/server/started-server.ts";
import { closing } from "../support/waiting/closing.ts";
import { next } from "../support/waiting/events.ts";
import { within } from "../support/waiting/queue.ts";

const ARTIFACTS = fileURLToPath(new URL("../../artifacts", import.meta.url));
const CROWD = fileURLToPath(new URL("../support/inspector/crowd-process.ts", import.meta.url));
const FROM_SOURCE = ["--conditions=@tidewire/source", "--import", "tsx/esm"];

/** `INSPECTOR_CONNECTIONS=10000` is the long form, on both hosts. */
const wished = process.env["INSPECTOR_CONNECTIONS"];
const CROWD_SIZE = Number(wished ?? 300);
/** `INSPECTOR_SCREENS=all` draws each screen by day and by night. */
const both = ["light", "dark"] as const;
const schemes: Readonly<Record<string, readonly (typeof both)[number][]>> =
  process.env["INSPECTOR_SCREENS"] === "all"
    ? { desktop: both, phone: both }
    : { desktop: ["dark"], phone: ["light"] };
const crowdHosts = wished === undefined ? (["uws"] as const) : (["uws", "node"] as const);

const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 740 };
const auth = { username: "ops", password: "tides" };
const HOSTILE = '<img src=x onerror="document.title=1">';

/** A page of the inspector, and whatever its browser has complained about. */
class InspectorPage {
  readonly page: Page;
  readonly errors: string[] = [];
  /** What the page has asked for over its WebSocket and has been answered. */
  readonly #answered: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      // What the browser says of a server that is gone.
      if (message.type() === "error" && !/Failed to load|ERR_|WebSocket connection/.test(message.text()))
        this.errors.push(message.text());
    });
    page.on("request", (request) => {
      const { hostname } = new URL(request.url());
      if (hostname !== "127.0.0.1" && hostname !== "localhost") this.errors.push(`asks ${request.url()}`);
    });
    page.on("websocket", (wire) => {
      const asked = new Map<string, string>();
      wire.on("framesent", ({ payload }) => {
        const [, id, request] = /^42(\d+)(.*)/.exec(String(payload)) ?? [];
        if (id !== undefined) asked.set(id, request!);
      });
      wire.on("framereceived", ({ payload }) => {
        const request = asked.get(/^43(\d+)/.exec(String(payload))?.[1] ?? "");
        if (request !== undefined) this.#answered.push(request);
      });
    });
  }

  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<InspectorPage> {
    const context = await browser.newContext({ viewport: DESKTOP, httpCredentials: auth, ...options });
    const opened = new InspectorPage(await context.newPage());
    await opened.page.goto(url);
    await opened.page.locator("#state", { hasText: "Live" }).waitFor();
    return opened;
  }

  async show(view: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(`#/${view}`)}`);
  }

  /** Does what makes the page ask for events, of this name at most, and waits until the server has taken that in. */
  async follows(act: () => Promise<void>, name: string = ""): Promise<void> {
    const before = this.#answered.length;
    await act();
    const isFeed = (request: string): boolean => request.startsWith(`["feed",{"name":"${name}",`);
    await until(() => this.#answered.slice(before).some(isFeed), "the page to follow events");
  }

  /** Waits until an element has this text. */
  async has(selector: string, text: string | RegExp): Promise<void> {
    await this.page.locator(selector, { hasText: text }).first().waitFor();
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

interface Running extends AsyncDisposable {
  readonly io: Server;
  readonly url: string;
  readonly port: number;
  client(options?: object, namespace?: string): Promise<ClientSocket>;
}

async function start(host: "uws" | "node", readonly: boolean = false): Promise<Running> {
  const io = new Server(0, { host, stats: true });
  await io.inspect({ auth, readonly });
  if (!io.httpServer.listening) await next(io.httpServer, "listening");
  const { port } = io.httpServer.address() as { port: number };
  const clients: ClientSocket[] = [];
  return {
    io,
    port,
    url: `http://127.0.0.1:${port}/_tidewire`,
    async client(options, namespace) {
      const client = openClient(`http://127.0.0.1:${port}`, options, namespace);
      clients.push(client);
      await connected(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await io.close();
    },
  };
}

function application(io: Server): void {
  io.on("connection", (socket: Socket) => {
    socket.data = { name: "Ann" };
    socket.on("chat", (text: string, reply: unknown) => {
      if (typeof reply === "function") (reply as (text: string) => void)(text);
    });
  });
  io.of("/orders");
}

describeWithChromium("the inspector in Chromium", (browser) => {
  for (const host of ["uws", "node"] as const) {
    describe(`on ${host}`, () => {
      let running: Running;
      let me: InspectorPage;

      before(async () => {
        await mkdir(ARTIFACTS, { recursive: true });
        running = await start(host);
        application(running.io);
        me = await InspectorPage.open(browser(), running.url);
      });
      after(async () => {
        await me?.close();
        await running?.[Symbol.asyncDispose]();
      });
      afterEach(() => assert.deepEqual(me.errors.splice(0), []));

      it("connects over a WebSocket, or over long-polling only", async () => {
        assert.equal(await me.page.evaluate("document.body.dataset.transport"), "websocket");
        const other = await InspectorPage.open(browser(), `${running.url}/?transport=polling`);
        assert.equal(await other.page.evaluate("document.body.dataset.transport"), "polling");
        await other.has("#where", host === "uws" ? "uWebSockets.js" : "node:http");
        await other.close();
        assert.deepEqual(other.errors, []);
      });

      it("lists clients, and finds one", async () => {
        const one = await running.client({ transports: ["websocket"] });
        const two = await running.client({ transports: ["polling"] }, "/orders");
        running.io.in(one.id!).socketsJoin("news");
        await me.show("clients");
        await me.has("#clients-note", "2 connected");
        const row = me.page.locator("#clients-table tbody tr", { hasText: one.io.engine.id });
        await row.getByText("WebSocket").waitFor();
        await row.getByText("news").waitFor();
        await row.locator("[data-label=RTT]", { hasText: "ms" }).waitFor();
        await me.page.getByPlaceholder("Id, address or namespace").fill("orders");
        await me.has("#clients-note", "1 of 2 match");
        await me.has("#clients-table tbody", two.io.engine.id);
        await me.page.getByPlaceholder("Id, address or namespace").fill("");
        await me.page.locator("#clients-filter [name=transport]").selectOption("websocket");
        await me.has("#clients-note", "1 of 2 match");
        await me.page.locator("#clients-filter [name=transport]").selectOption("");
        await me.has("#clients-note", "2 connected");
        one.close();
        two.close();
        await me.has("#clients-empty", "Nobody is connected.");
      });

      it("shows one client's timeline, emits to it, and closes its connection", async () => {
        const client = await running.client({ transports: ["websocket"] });
        const gone = next(client, "disconnect");
        await me.show("clients");
        await me.page.getByRole("link", { name: client.io.engine.id }).click();
        await me.has("#client-sockets", '"name": "Ann"');
        client.emit("chat", "hello there");
        await me.has("#client-timeline li[data-kind=in]", "hello there");
        await me.has("#client-timeline li[data-kind=rtt]", "ms");
        await me.has("#client-rtt", "ms");

        await me.page.getByPlaceholder("Join a room").fill("news");
        await me.page.getByPlaceholder("Join a room").press("Enter");
        await me.has("#client-sockets .chip", "news");
        await me.page.getByRole("button", { name: "Leave news" }).click();
        await me.has("#client-sockets", "In no room");

        client.on("question", (value: number, answer: (value: number) => void) => answer(value + 1));
        await me.page.getByRole("button", { name: "Emit", exact: true }).click();
        const dialog = me.page.locator("#emit");
        await dialog.getByLabel("Event").fill("question");
        await dialog.getByLabel("Arguments").fill("[41");
        await dialog.getByRole("button", { name: "Emit" }).click();
        await me.has("#emit-outcome.error", /JSON/);
        await dialog.getByLabel("Arguments").fill("[41]");
        await dialog.getByLabel("Ask for an answer").check();
        await dialog.getByRole("button", { name: "Emit" }).click();
        await me.has("#emit-outcome", "Answer: 42");
        await me.page.keyboard.press("Escape");

        await me.page.getByRole("button", { name: "Close connection" }).click();
        await me.page.locator("#confirm").getByRole("button", { name: "Close connection" }).click();
        assert.equal((await gone)[0], "io server disconnect");
        await me.has("#client-gone", "The connection has ended");
      });

      it("shows events as they happen, filtered, and only as text", async () => {
        const client = await running.client({ transports: ["websocket"] });
        await me.follows(() => me.show("events"));
        await me.has("#events-empty", "Nothing has happened");
        client.emit("chat", HOSTILE);
        client.emit(HOSTILE);
        await me.has("#events-list", HOSTILE);
        running.io.emit("news", 1);
        await me.has('#events-list li[data-kind="broadcast"]', "news");
        assert.equal(await me.page.locator("#events-list img").count(), 0);
        assert.equal(await me.page.title(), "Tidewire inspector");
        await me.follows(() => me.page.getByPlaceholder("Name of an event").fill("prices"), "prices");
        await me.page.getByRole("button", { name: "Clear" }).click();
        client.emit("chat", "not this");
        client.emit("prices", 7);
        await me.has("#events-list", "prices");
        assert.equal(await me.page.locator("#events-list li").count(), 1);
        await me.page.getByRole("button", { name: "Pause" }).click();
        await me.page.getByRole("button", { name: "Go on" }).waitFor();
        await me.page.getByPlaceholder("Name of an event").fill("");
        client.close();
      });

      it("shows rooms, and disconnects those in one", async () => {
        const clients = [await running.client(), await running.client()];
        running.io.socketsJoin("crew");
        const gone = Promise.all(clients.map((client) => next(client, "disconnect")));
        await me.show("rooms");
        await me.has("#rooms-list li", /crew.*2/s);
        await me.page.getByRole("link", { name: /crew/ }).click();
        await me.has("#clients-note", "2 connected");
        await me.has("#clients-room", "Room crew");
        await me.show("rooms");
        await me.page.getByRole("button", { name: "Disconnect everybody in crew" }).click();
        await me.page.getByRole("button", { name: "Disconnect all" }).click();
        await gone;
        await me.has("#rooms-empty", "No room matches");
      });

      it("shows the numbers of the server, and why clients left", async () => {
        await me.show("overview");
        await me.has("#disconnects", "server namespace disconnect");
        await me.has("#namespaces", "/orders");
        await me.has("#tiles", /Memory.*MB/s);
      });
    });
  }

  describe("that is read-only", () => {
    it("offers nothing to change", async () => {
      await using running = await start("uws", true);
      application(running.io);
      const client = await running.client();
      running.io.socketsJoin("crew");
      const me = await InspectorPage.open(browser(), `${running.url}/#/client/${client.io.engine.id}`);
      await me.page.getByText("read-only").waitFor();
      await me.has("#client-sockets", "crew");
      for (const name of [/Emit/, /Close connection/, /Disconnect/, /Leave/]) {
        assert.equal(await me.page.getByRole("button", { name }).count(), 0, String(name));
      }
      assert.equal(await me.page.getByPlaceholder("Join a room").count(), 0);
      await me.close();
    });
  });

  describe("on its screens", () => {
    let running: Running;
    let sid: string;
    let traffic: NodeJS.Timeout;

    before(async () => {
      running = await start("uws");
      application(running.io);
      const first = await running.client({ transports: ["websocket"] });
      sid = first.io.engine.id!;
      const others = [];
      for (let count = 0; count < 12; count++) {
        const transports = count % 4 === 0 ? ["polling"] : ["websocket"];
        others.push(await running.client({ transports }, count % 3 === 0 ? "/orders" : "/"));
      }
      for (const { id } of running.io.sockets.sockets.values()) {
        running.io.in(id).socketsJoin(["news", "lobby", `user:${id.slice(0, 6)}`]);
      }
      others.slice(0, 3).forEach((client) => client.close());
      await fetch(`http://127.0.0.1:${running.port}/socket.io/?EIO=4&transport=polling&sid=none`);
      traffic = setInterval(() => {
        first.emit("chat", "The gauge at the pier is online", { level: 2.4, at: "pier 4" });
        running.io.to("news").emit("tide", { level: 2.4, harbour: "north" });
      }, 40);
    });
    after(async () => {
      clearInterval(traffic);
      await running?.[Symbol.asyncDispose]();
    });

    /** What each view has once it shows something. */
    const views = (): Record<string, string> => ({
      clients: "#clients-table [data-label=RTT]:has-text('ms')",
      rooms: "#rooms-list li",
      events: "#events-list li:nth-child(9)",
      [`client/${sid}`]: "#client-timeline li:nth-child(20)",
      // Last, when there are lines to draw.
      overview: "#tiles .line[d*=L]",
    });

    for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      it(`fits a ${size}, ${schemes[size]!.join(" and ")}`, async () => {
        const me = await InspectorPage.open(browser(), running.url, { viewport });
        const picture = async (name: string): Promise<void> => {
          for (const colorScheme of schemes[size]!) {
            await me.page.emulateMedia({ colorScheme });
            await me.page.screenshot({
              path: join(ARTIFACTS, `inspector-${name}-${size}-${colorScheme}.png`),
            });
          }
        };
        for (const [view, content] of Object.entries(views())) {
          await me.show(view);
          await me.page.locator(content).first().waitFor({ state: "attached" });
          await picture(view.split("/")[0]!);
          const width = Number(await me.page.evaluate("document.documentElement.scrollWidth"));
          assert.ok(width <= viewport.width, `${view} is ${width} pixels wide`);
          const tabs = await me.page.evaluate(
            `[...document.querySelectorAll(".tabs a")].map((each) => each.getBoundingClientRect().bottom <= innerHeight)`,
          );
          assert.deepEqual(tabs, [true, true, true, true], `${view} hides its tabs`);
        }
        await me.show("rooms");
        await me.page.getByRole("button", { name: "Emit to lobby" }).click();
        await me.page.locator("#emit").getByLabel("Event").fill("announcement");
        await me.page.locator("#emit").getByLabel("Arguments").fill('["The tide turns at six"]');
        await picture("emit");
        await me.page.locator("#emit").getByRole("button", { name: "Emit" }).click();
        await me.has("#emit-outcome", "Done.");
        await me.close();
        assert.deepEqual(me.errors, []);
      });
    }

    it("can be used with the keyboard, and has names for all its fields and buttons", async () => {
      const me = await InspectorPage.open(browser(), running.url);
      await me.page.keyboard.press("Tab");
      assert.equal(await me.page.evaluate("document.activeElement.className"), "skip");
      for (const view of ["clients", "rooms", "events", `client/${sid}`]) {
        await me.show(view);
        await me.page.locator(`#${view.split("/")[0]}`).waitFor();
        const nameless = await me.page
          .evaluate(`[...document.querySelectorAll("main section:not([hidden]) :is(button, input, select, a)")]
          .filter((each) => each.checkVisibility())
          .filter((each) => !(each.ariaLabel || each.textContent.trim() || each.closest("label")?.textContent.trim()))
          .map((each) => each.outerHTML)`);
        assert.deepEqual(nameless, [], view);
      }
      await me.close();
    });
  });

  describe(`with ${CROWD_SIZE} connections`, function () {
    this.timeout(120_000);

    for (const host of crowdHosts) {
      it(`is as quick, on ${host}`, async () => {
        await using running = await start(host);
        running.io.on("connection", (socket) => socket.join(`room ${running.io.sockets.sockets.size % 50}`));
        const crowd = fork(CROWD, [String(running.port), String(CROWD_SIZE)], { execArgv: FROM_SOURCE });
        using _crowd = closing(() => void crowd.kill());
        await within(once(crowd, "message"), "the crowd", 100_000);
        const me = await InspectorPage.open(browser(), `${running.url}/#/clients`);
        const size = CROWD_SIZE.toLocaleString("en");
        await me.has("#clients-note", `${size} connected`);
        assert.equal(await me.page.locator("#clients-table tbody tr").count(), 50);
        await me.page.getByRole("button", { name: "Next" }).click();
        await me.has("#clients-page", `51 to 100 of ${size}`);
        const [socket] = running.io.sockets.sockets.values();
        await me.page.getByPlaceholder("Id, address or namespace").fill(socket!.conn.id);
        await me.has("#clients-note", `1 of ${size} match`);
        await me.show("rooms");
        await me.has("#rooms-note", "50 rooms");
        // A broadcast is one event of the feed, however many get it.
        await me.follows(() => me.show("events"));
        running.io.emit("tide", 1);
        await me.has('#events-list li[data-kind="broadcast"]', "tide");
        await me.show("overview");
        await me.has("#tiles", size);
        await me.close();
        assert.deepEqual(me.errors, []);
      });
    }
  });
});
