import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as uWS from "uWebSockets.js";
import { Server as TidewireEngine } from "@tidewire/engine";
import type { AttachOptions } from "@tidewire/engine";
import { NetworkClient } from "../support/wire/network-client.ts";

/** A server with one engine on it; everything else is answered with `other`. */
interface Site extends AsyncDisposable {
  client: NetworkClient;
}

type Serve = (options: AttachOptions) => Promise<Site>;

const onNode: Serve = async (options) => {
  const httpServer = createServer((_req, res) => res.end("other"));
  const engine = new TidewireEngine();
  engine.attach(httpServer, options);
  await new Promise<void>((resolve) => httpServer.listen(0, resolve));
  const client = new NetworkClient((httpServer.address() as AddressInfo).port);
  const dispose = async (): Promise<void> => {
    engine.close();
    client.close();
    httpServer.close();
    httpServer.closeAllConnections();
  };
  return { client, [Symbol.asyncDispose]: dispose };
};

const onUws: Serve = async (options) => {
  const app = uWS.App();
  const engine = new TidewireEngine();
  engine.attachApp(app, options);
  // A second route of one pattern would take the place of the first.
  if (options.path !== "/") app.any("/*", (response) => void response.end("other"));
  let token: uWS.us_listen_socket | false = false;
  app.listen("127.0.0.1", 0, (given) => {
    token = given;
  });
  assert.ok(token, "the app listens");
  const client = new NetworkClient(uWS.us_socket_local_port(token));
  const dispose = async (): Promise<void> => {
    engine.close();
    client.close();
    app.close();
  };
  return { client, [Symbol.asyncDispose]: dispose };
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

function describePaths(name: string, serve: Serve): void {
  describe(`engine: paths on ${name}`, () => {
    for (const { options, served, left } of cases) {
      const { path, addTrailingSlash = true } = options;
      const title = `${path === undefined ? "the default path" : JSON.stringify(path)}${addTrailingSlash ? "" : " without a slash"}`;

      it(`${title} takes ${served.join(" ")}`, async () => {
        await using site = await serve(options);
        for (const url of served) {
          const { status, body } = await site.client.get(url + QUERY);
          assert.match(`${status} ${body}`, /^200 0\{"sid"/, url);
          const socket = await site.client.websocket(`${url}?EIO=4&transport=websocket`);
          assert.match(String(await socket.next()), /^0\{"sid"/, url);
          socket.close();
        }
      });

      it(`${title} leaves ${left.join(" ") || "nothing"}`, async () => {
        await using site = await serve(options);
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
      const client = new NetworkClient((httpServer.address() as AddressInfo).port);
      assert.match((await client.get(`/${QUERY}`)).body, /^0\{"sid"/);
      engine.close();
      client.close();
      await new Promise((resolve) => httpServer.close(resolve));
    });
  }
});
