import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { describeWithChromium } from "../../test/support/browser/chromium.ts";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { isFull } from "../support/cell.ts";
import { AdminPage, serveAdminPage, type Site } from "./support/admin-page.ts";
import { isOracle } from "../support/installation.ts";
import { connect, program, published } from "./support/published.ts";

published("@socket.io/admin-ui", (host) => {
  // admin.test.ts tests on both hosts what the page receives
  if (host === "node" && !isFull && !isOracle) return;
  describeWithChromium("the page in Chromium", (browser) => {
    let site: Site;
    let page: AdminPage;
    before("serve the page", async () => {
      site = await serveAdminPage();
    });
    after("close the server of the page", () => site.close());
    const server = program("admin", host, () => ({ page: site.origin, password: true }));

    beforeEach("open the page", async () => {
      page = await AdminPage.open(browser(), site.origin);
    });
    afterEach("close the page", () => page.close());

    const open = async (transport: "polling" | "websocket"): Promise<Socket> => {
      const client = connect(server().url, { transports: [transport], auth: { name: "ann" } });
      await connected(client);
      return client;
    };
    const signIn = async (): Promise<void> => {
      await page.connect(server().url, "correct");
      await page.page.getByText("connected", { exact: true }).first().waitFor();
    };
    /** Opens a part that shows one namespace; the page lists only namespaces with sockets. */
    const lookAt = async (part: "Sockets" | "Rooms" | "Events"): Promise<void> => {
      await open("websocket");
      await signIn();
      await page.goTo(part);
      await page.choose("/");
    };

    it("asks for the password", async () => {
      await page.connect(server().url, "wrong");
      await page.page.getByText("Invalid credentials").waitFor();
      await signIn();
    });

    it("shows the server, its namespaces and the number of its clients", async () => {
      await signIn();
      for (const name of ["/admin", "/orders"]) await page.row(name).waitFor();
      await open("polling");
      await page.goTo("Servers");
      await page.row("the server").filter({ hasText: "Healthy" }).waitFor();
      // the page's own client, and this one
      await page.page.locator("main tbody tr td:nth-child(5)", { hasText: /^2$/ }).waitFor();
    });

    it("shows sockets as they connect and disconnect", async () => {
      await lookAt("Sockets");
      const client = await open("polling");
      const row = page.row(client.id as string);
      await row.filter({ hasText: "HTTP long-polling" }).waitFor();
      client.close();
      await row.waitFor({ state: "detached" });
    });

    it("shows a socket with its handshake, data, rooms and status", async () => {
      await lookAt("Sockets");
      const client = await open("websocket");
      await page.row(client.id as string).click();
      await page.row("Data").filter({ hasText: '"name": "ann"' }).waitFor();
      // from the connection, and from the query of its request
      for (const name of ["Transport WebSocket", "transport websocket"]) {
        await page.page.getByRole("row", { name, exact: true }).waitFor();
      }
      await client.emitWithAck("join", "red");
      await page.row("red").waitFor();
      client.close();
      await page.row("Status").filter({ hasText: "disconnected" }).first().waitFor();
    });

    it("shows rooms as they fill and empty", async () => {
      await lookAt("Rooms");
      const clients = await Promise.all([open("polling"), open("websocket")]);
      for (const client of clients) await client.emitWithAck("join", "red");
      const row = page.row("red");
      await row.filter({ hasText: "2" }).waitFor();
      clients[0].close();
      await row.filter({ hasText: "1" }).waitFor();
      clients[1].close();
      await row.waitFor({ state: "detached" });
    });

    it("shows events as they are received and sent", async () => {
      await lookAt("Events");
      const client = await open("websocket");
      const echo = next(client, "echo");
      client.emit("echo", "hello");
      await echo;
      const rows = page.row(client.id as string);
      await rows.filter({ hasText: "Event received" }).filter({ hasText: "echo" }).waitFor();
      await rows.filter({ hasText: "Event sent" }).filter({ hasText: "echo" }).waitFor();
    });

    it("disconnects a socket with its button", async () => {
      await lookAt("Sockets");
      const client = await open("websocket");
      const gone = next(client, "disconnect");
      await page
        .row(client.id as string)
        .getByRole("button")
        .click();
      assert.deepEqual((await gone)[0], "io server disconnect");
    });
  });
});
