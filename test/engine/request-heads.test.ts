import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { firstAnswer } from "../support/wire/network-client.ts";
import { PollingPeer } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

/** The request of a session that was opened with these bytes among its headers. */
async function handshakeWith(
  server: StartedEngine,
  transport: string,
  lines: string,
): Promise<IncomingMessage> {
  const opened = server.nextSession();
  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  const rest = transport === "websocket" ? `${upgrade}${lines}` : lines;
  const line = `GET ${server.path(`transport=${transport}`)} HTTP/1.1`;
  await firstAnswer(server.port, Buffer.from(`${line}\r\nHost: localhost\r\n${rest}\r\n\r\n`, "latin1"));
  return (await opened).request;
}

const headers = { "x-test": "1", "user-agent": "a test" };

onEveryHost("engine: the head of a request", engineHosts, (host) => {
  host.it("is complete for a listener of headers, on every poll and POST", async () => {
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

  host.it("is complete for a listener of connection_error", async () => {
    await using server = await host.start();
    const errors: IncomingMessage[] = [];
    server.engine.on("connection_error", ({ req }: { req: IncomingMessage }) => errors.push(req));
    await server.client.get(server.path("transport=polling&sid=nobody"), { headers });
    assert.equal(errors[0]?.headers["x-test"], "1");
  });

  for (const query of ["sid=", "sid=a&sid=", "#&sid=a"]) {
    host.it(`is complete for a handshake that looks like another request by ${query}`, async () => {
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

  for (const transport of ["polling", "websocket"]) {
    host.it(`shows bytes beyond ASCII as Latin-1, by ${transport}`, { needs: "tcp" }, async () => {
      await using server = await host.start();
      const { headers } = await handshakeWith(server, transport, "x-user: a\xc3\xa9b");
      assert.equal(headers["x-user"], "a\u00c3\u00a9b");
    });

    const title = `shows them at the ends of a header, by ${transport}`;
    host.it(title, { needs: "edges" }, async () => {
      await using server = await host.start();
      const lines = "x-utf8: \xc3\xa9t\xc3\xa9\r\nx-latin1: Andr\xe9\r\nx-one: \xe9";
      const { headers } = await handshakeWith(server, transport, lines);
      assert.equal(headers["x-utf8"], "\u00c3\u00a9t\u00c3\u00a9");
      assert.equal(headers["x-latin1"], "Andr\u00e9");
      assert.equal(headers["x-one"], "\u00e9");
    });
  }

  host.it("compares origins byte by byte on every poll", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("x");
    const answer = await firstAnswer(
      server.port,
      Buffer.from(
        `GET ${peer.path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://\xe4\xb8\xad.example\r\n\r\n`,
        "latin1",
      ),
    );
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
  });

  host.it("turns off the XSS filter of an old browser", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("x");
    const response = await peer.get({
      headers: { "user-agent": "Mozilla/5.0 (Windows NT 6.1; Trident/7.0)" },
    });
    assert.equal(response.headers["x-xss-protection"], "0");
  });
});
