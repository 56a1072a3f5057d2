import assert from "node:assert/strict";
import { connect } from "node:net";

import { connected, onEveryTransport } from "../support/server/clients.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";

type Answer = (error: string | null, success: boolean) => void;

/** How a client goes away: with a FIN, or with a RST. */
type Cut = "closed" | "reset";

/** Sends the head of a request and gives the function that cuts the connection. */
function send(running: StartedServer, head: string, cut: Cut): () => Promise<void> {
  const socket = connect({ port: running.port, host: "127.0.0.1" });
  socket.on("error", () => {});
  socket.write(`${head}\r\nhost: x\r\n\r\n`);
  running.closeWith(() => socket.destroy());
  return async () => {
    const closed = new Promise((resolve) => socket.once("close", resolve));
    if (cut === "reset") socket.resetAndDestroy();
    else socket.destroy();
    await closed;
  };
}

const heads: Readonly<Record<string, string>> = {
  "a polling request": "GET /socket.io/?EIO=4&transport=polling HTTP/1.1",
  "a WebSocket request": [
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
  ].join("\r\n"),
};

onEveryHost("allowRequest", serverHostsAndApp, (host) => {
  onEveryTransport((_name, mode) => {
    it("accepts the client, also asynchronously", async () => {
      await using running = await host.start({
        allowRequest: (_req, answer) => void setImmediate(() => answer(null, true)),
      });
      await connected(running.client(mode));
    });

    it("refuses the client otherwise", async () => {
      await using running = await host.start({ allowRequest: (_req, answer) => answer("no entry", false) });
      const refusal = next(running.io.engine, "connection_error");
      await next(running.client(mode), "connect_error");
      const [{ code, message, context }] = (await refusal) as [
        { code: number; message: string; context: object },
      ];
      assert.deepEqual([code, message, context], [4, "Forbidden", { message: "no entry" }]);
    });
  });

  it("sees method, url, headers and query of the request", async () => {
    let seen: unknown[] = [];
    await using running = await host.start({
      allowRequest: (req, answer) => {
        const { _query } = req as typeof req & { _query: Record<string, string> };
        seen = [req.method, req.url?.startsWith("/socket.io/?"), req.headers["x-mine"], _query["token"]];
        answer(null, true);
      },
    });
    await connected(running.client({ extraHeaders: { "x-mine": "1" }, query: { token: "t" } }));
    assert.deepEqual(seen, ["GET", true, "1", "t"]);
  });

  /** A request that is cut while allowRequest is under way, which then says `allowed`. */
  async function cutDuringAllowRequest(head: string, cut: Cut, allowed: boolean): Promise<void> {
    let answer: Answer = () => {};
    let onEntered: () => void = () => {};
    const entered = new Promise<void>((resolve) => (onEntered = resolve));
    let first = true;
    await using running = await host.start({
      pingTimeout: 300,
      allowRequest: (_req, done) => {
        if (!first) return done(null, true);
        first = false;
        answer = done;
        onEntered();
      },
    });
    const abort = send(running, head, cut);
    await entered;
    await abort();
    // the server has heard of the abort when a whole round trip of another client is over
    await connected(running.client());
    // Only a session of the request that was cut is pinged soon, and has no client that answers.
    const { opts } = running.io.engine;
    const { pingInterval = 25_000 } = opts;
    opts.pingInterval = 300;
    answer(null, allowed);
    await new Promise(setImmediate);
    opts.pingInterval = pingInterval;
    await connected(running.client());
    while (running.io.engine.clientsCount > 2) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(running.io.engine.clientsCount, 2);
  }

  for (const [what, head] of Object.entries(heads)) {
    for (const allowed of [true, false]) {
      const then = `harms nothing, whether then ${allowed ? "allowed" : "refused"}`;
      it(`${what} closed while it is under way ${then}`, () =>
        cutDuringAllowRequest(head, "closed", allowed));
      const title = `${what} reset while it is under way ${then}`;
      const test = (): Promise<void> => cutDuringAllowRequest(head, "reset", allowed);
      it(title, test);
    }
  }
});
