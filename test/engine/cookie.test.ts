import assert from "node:assert/strict";
import type { EngineOptions } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer } from "../support/engine/peers.ts";

const encode = (value: string): string => `<${value.length}>`;

/** The option, and what follows `name=sid` in the header. */
const cases: [cookie: unknown, name: string, attributes: string][] = [
  [true, "io", "; Path=/; HttpOnly; SameSite=Lax"],
  [{}, "io", "; Path=/; HttpOnly; SameSite=Lax"],
  [{ name: "sid", path: "/app" }, "sid", "; Path=/app; HttpOnly; SameSite=Lax"],
  [{ httpOnly: false, sameSite: false }, "io", "; Path=/"],
  [{ sameSite: "none", secure: true }, "io", "; Path=/; HttpOnly; Secure; SameSite=None"],
  [{ sameSite: true }, "io", "; Path=/; HttpOnly; SameSite=Strict"],
  [
    { maxAge: 86400, domain: "a.example" },
    "io",
    "; Max-Age=86400; Domain=a.example; Path=/; HttpOnly; SameSite=Lax",
  ],
  [{ expires: new Date(0) }, "io", "; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax"],
  [
    { priority: "high", partitioned: true },
    "io",
    "; Path=/; HttpOnly; Partitioned; Priority=High; SameSite=Lax",
  ],
];

onEveryHost("engine: the cookie", engineHosts, (host) => {
  for (const [cookie, name, attributes] of cases) {
    host.it(`is set from ${JSON.stringify(cookie)}`, async () => {
      await using server = await host.start({ cookie } as EngineOptions);
      const { headers } = await server.client.get(server.path("transport=polling"));
      const { id } = await server.nextSession();
      assert.deepEqual(headers["set-cookie"], [`${name}=${id}${attributes}`]);
    });
  }

  host.it("is encoded with the given function", async () => {
    await using server = await host.start({ cookie: { name: "io", encode } });
    const { headers } = await server.client.get(server.path("transport=polling"));
    assert.deepEqual(headers["set-cookie"], ["io=<20>; Path=/; HttpOnly; SameSite=Lax"]);
  });

  host.it("is only in the first response", async () => {
    await using server = await host.start({ cookie: { name: "io" } });
    const peer = await PollingPeer.open(server);
    peer.session.send("x");
    const poll = await peer.get();
    const post = await peer.post("4x");
    const upgrade = await server.client.websocket(peer.websocketPath);
    const direct = await server.client.websocket(server.path("transport=websocket"));
    const unknown = await server.client.get(server.path("transport=polling&sid=x"));
    for (const { headers } of [poll, post, upgrade, direct, unknown]) {
      assert.equal(headers["set-cookie"], undefined);
    }
  });

  host.it("can be read and changed by listeners of initial_headers", async () => {
    await using server = await host.start({ cookie: { name: "io" } });
    server.engine.on("initial_headers", (headers: Record<string, string[]>) => {
      headers["Set-Cookie"] = [...(headers["Set-Cookie"] ?? []), "mine=1"];
    });
    const { headers } = await server.client.get(server.path("transport=polling"));
    const { id } = await server.nextSession();
    assert.deepEqual(headers["set-cookie"], [`io=${id}; Path=/; HttpOnly; SameSite=Lax`, "mine=1"]);
  });
});
