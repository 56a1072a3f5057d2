import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { onEveryHost } from "../support/hosts.ts";
import { PollingPeer } from "../support/peers.ts";

const headers = { "x-test": "1", "user-agent": "a test" };

describe("engine: the head of a request", () => {
  onEveryHost((host) => {
    host.it("is whole for a listener of headers, on every poll and post", async () => {
      await using server = await host.start();
      const seen: unknown[] = [];
      server.engine.on("headers", (_: unknown, { method, headers }: IncomingMessage) =>
        seen.push([method, headers["x-test"], headers["user-agent"]]),
      );
      const peer = await PollingPeer.open(server, { headers });
      peer.session.send("x");
      await peer.get({ headers });
      await peer.post("4x", { headers });
      assert.deepEqual(seen, [
        ["GET", "1", "a test"],
        ["GET", "1", "a test"],
        ["POST", "1", "a test"],
      ]);
    });

    host.it("is whole for a listener of connection_error", async () => {
      await using server = await host.start();
      const errors: IncomingMessage[] = [];
      server.engine.on("connection_error", ({ req }: { req: IncomingMessage }) => errors.push(req));
      await server.client.get(server.path("transport=polling&sid=nobody"), { headers });
      assert.equal(errors[0]?.headers["x-test"], "1");
    });

    for (const query of ["sid=", "sid=a&sid=", "#&sid=a"]) {
      host.it(`is whole for a handshake that looks like another request by ${query}`, async () => {
        await using server = await host.start({
          allowRequest: (req, decide) => decide(null, req.headers["x-test"] === "1"),
        });
        // Other requests come between: what is remembered of them concerns them alone.
        await server.client.get(server.path("transport=polling&sid=a"), { headers });
        const response = await server.client.get(server.path(`transport=polling&${query}`), { headers });
        assert.equal(response.status, 200, response.body);
        assert.equal((await server.nextSession()).request.headers["x-test"], "1");
      });
    }

    host.it("tells an old browser that the answer to a poll is no cross-site script", async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      peer.session.send("x");
      const response = await peer.get({
        headers: { "user-agent": "Mozilla/5.0 (Windows NT 6.1; Trident/7.0)" },
      });
      assert.equal(response.headers["x-xss-protection"], "0");
    });
  });
});
