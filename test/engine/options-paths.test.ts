import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as uWS from "uWebSockets.js";
import { Server as TidewireEngine } from "@tidewire/engine";
import type { AttachOptions } from "@tidewire/engine";
import { serve, serveApp } from "../support/engine/serve.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { closing } from "../support/waiting/closing.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

/** Starts an engine; everything else is answered with `other`. */
type Serve = (options: AttachOptions) => Promise<StartedEngine>;

const onNode: Serve = (options) => {
  const httpServer = createServer((_req, res) => res.end("other"));
  const engine = new TidewireEngine();
  engine.attach(httpServer, options);
  return serve(engine, httpServer);
};

const onUws: Serve = async (options) => {
  const app = uWS.App();
  const engine = new TidewireEngine();
  engine.attachApp(app, options);
  // A second route of one pattern would take the place of the first.
  if (options.path !== "/") app.any("/*", (response) => void response.end("other"));
  return serveApp(engine, app);
};

const QUERY = "?EIO=4&transport=polling";

interface Case {
  options: AttachOptions;
  served: string[];
  left: string[];
}

const cases: Case[] = [
  { options: {}, served: ["/engine.io/"], left: ["/engine.io", "/", "/engine.iox/"] },
  { options: { path: "" }, served: ["/engine.io/"], left: ["/"] },
  { options: { path: "/" }, served: ["/"], left: [] },
  { options: { path: "/custom" }, served: ["/custom/", "/custom/below"], left: ["/custom", "/engine.io/"] },
  { options: { path: "/custom/" }, served: ["/custom/"], left: ["/custom", "/customs/"] },
  { options: { path: "/a/b.c/d" }, served: ["/a/b.c/d/"], left: ["/a/b.c/", "/a/bxc/d/"] },
  { options: { path: "/a-%C3%BC/~x" }, served: ["/a-%C3%BC/~x/"], left: ["/a-/~x/"] },
  { options: { path: "/:tenant/io" }, served: ["/:tenant/io/"], left: ["/acme/io/"] },
  {
    options: { path: "/bare", addTrailingSlash: false },
    served: ["/bare", "/bare/", "/bare/below"],
    left: ["/", "/bar", "/engine.io/"],
  },
  { options: { path: "/bare/", addTrailingSlash: false }, served: ["/bare"], left: ["/bar"] },
  { options: { path: "/", addTrailingSlash: false }, served: ["/", "/anything"], left: [] },
  { options: { path: "/Case" }, served: ["/Case/"], left: ["/case/"] },
];

function describePaths(name: string, start: Serve): void {
  describe(`engine: paths on ${name}`, () => {
    for (const { options, served, left } of cases) {
      const { path, addTrailingSlash = true } = options;
      const title = `${path === undefined ? "the default path" : JSON.stringify(path)}${addTrailingSlash ? "" : " without a slash"}`;

      it(`${title} takes ${served.join(" ")}`, async () => {
        await using site = await start(options);
        for (const url of served) {
          const { status, body } = await site.client.get(url + QUERY);
          assert.match(`${status} ${body}`, /^200 0\{"sid"/, url);
          const socket = await site.client.websocket(`${url}?EIO=4&transport=websocket`);
          assert.match(String(await socket.next()), /^0\{"sid"/, url);
          socket.close();
        }
      });

      it(`${title} leaves ${left.join(" ") || "nothing"}`, async () => {
        await using site = await start(options);
        for (const url of left) {
          assert.equal((await site.client.get(url + QUERY)).body, "other", url);
        }
      });
    }
  });
}

describePaths("node", onNode);
describePaths("uws", onUws);

describe("engine: paths of listen()", () => {
  for (const host of ["uws", "node"] as const) {
    it(`take all requests with the path /, on ${host}`, async () => {
      const engine = new TidewireEngine({ host });
      const httpServer = engine.listen(0, { path: "/" });
      using client = new NetworkClient((httpServer.address() as AddressInfo).port);
      using _server = closing(() => httpServer.close());
      assert.match((await client.get(`/${QUERY}`)).body, /^0\{"sid"/);
      engine.close();
    });
  }
});
