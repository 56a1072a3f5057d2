// Frameworks that build what they serve, with the programs of docs/frameworks.md.
import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { cell, isFull } from "../support/cell.ts";
import { closeClients, connect } from "../support/connect.ts";
import { isOracle } from "../support/installation.ts";
import { BuiltApplication, type RunningApplication } from "./support/built.ts";

/** How long an installation and a build may take, in ms. */
const BUILDING = 600_000;

const frameworks = [
  { name: "nextjs", part: "next", section: "Next.js", title: "Next.js" },
  { name: "nuxt", part: "nuxt", section: "Nuxt and Nitro", title: "Nuxt" },
  { name: "sveltekit", part: "@sveltejs/kit", section: "SvelteKit", title: "SvelteKit" },
] as const;

type Form = "in production" | "in development";

const scripts: Readonly<Record<Form, "start" | "dev">> = {
  "in production": "start",
  "in development": "dev",
};

const ways = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
} as const;

/** Opens a client; one that may upgrade has done so. */
async function open(url: string, transports: readonly string[]): Promise<Socket> {
  const client = connect(url, { transports: [...transports] });
  await connected(client);
  const { engine } = client.io;
  const last = transports.at(-1);
  if (engine.transport.name !== last) await next(engine, "upgrade");
  assert.equal(engine.transport.name, last);
  return client;
}

// The quick form leaves them out: each takes up to a minute to build.
if (isFull && !isOracle) for (const framework of frameworks) declare(framework);

function declare({ name, part, section, title }: (typeof frameworks)[number]): void {
  describe(title, () => {
    const application = new BuiltApplication(name, section);
    const running = new Map<Form, RunningApplication>();

    before("build and start the application", async function () {
      this.timeout(BUILDING);
      await application.build();
      for (const [form, script] of Object.entries(scripts) as [Form, "start" | "dev"][])
        running.set(form, await application.start(script));
    });
    afterEach(closeClients);
    after("stop the application", async () => {
      await Promise.all([...running.values()].map((each) => each.stop()));
      application.remove();
    });

    for (const host of ["uws", "node"] as const) {
      for (const [transport, transports] of Object.entries(ways) as [
        keyof typeof ways,
        readonly string[],
      ][]) {
        cell({ group: "Frameworks", part, version: application.versionOf(part), host, transport }, () => {
          for (const form of Object.keys(scripts) as Form[]) {
            it(`answers clients beside its pages, ${form}`, async () => {
              const { url, socketUrl } = running.get(form)!;
              const client = await open(host === "uws" ? socketUrl : url, transports);
              assert.equal(await client.emitWithAck("hello"), "hello over Socket.IO");
              const page = await running.get(form)!.page();
              assert.match(await page.text(), new RegExp(`hello from ${title}`));
              assert.equal(await client.emitWithAck("hello"), "hello over Socket.IO");
            });
          }
        });
      }
    }
  });
}
