// How backends over PostgreSQL treat the table of nodes.
import assert from "node:assert/strict";
import { Client } from "pg";
import { BackendNode, LEASE } from "../../../test/support/backends/node.ts";
import type { Connected } from "../../../test/support/backends/node.ts";
import { PostgresServer, describeWithPostgres } from "../../../test/support/postgres/postgres-server.ts";
import { postgres } from "../src/postgres.ts";
import { createTable } from "../src/sql.ts";
import { address, clients } from "./clients.ts";

describeWithPostgres("the table of nodes", () => {
  let server: PostgresServer;
  let owner: Client;

  before(async () => {
    server = await PostgresServer.start();
    owner = new Client(address(server.port));
    await owner.connect();
    await owner.query("REVOKE CREATE ON SCHEMA public FROM public; CREATE ROLE guest LOGIN");
  });

  beforeEach(() => owner.query("DROP TABLE IF EXISTS tidewire_nodes"));

  after(async () => {
    await owner.end();
    await server[Symbol.asyncDispose]();
  });

  async function asGuest(port: number): Promise<Connected> {
    const client = () => new Client({ ...address(port), user: "guest" });
    return { backend: postgres({ client, lease: LEASE }), [Symbol.asyncDispose]: async () => {} };
  }

  it("is created by the first of nodes that start together", async () => {
    const ids = ["AAAA", "BBBB", "CCCC", "DDDD"];
    const nodes = await Promise.all(
      ids.map((id) => BackendNode.connect("test", id, server.port, clients["Client"]!)),
    );
    const have = await Promise.all(nodes.map((each) => each.announce()));
    await Promise.all(nodes.map((each) => each[Symbol.asyncDispose]()));
    assert.deepEqual(have, [true, true, true, true]);
  });

  it("is needed, and reported, if it cannot be created", async () => {
    await using a = await BackendNode.connect("test", "AAAA", server.port, asGuest);
    await assert.rejects(a.announce(), {
      code: "NO_TABLE",
      message: /permission denied for schema public/,
    });
    assert.equal(await a.found.next(), "away: DISCOVERY_AWAY");
    await owner.query(
      `${createTable("tidewire_nodes")}; GRANT SELECT, INSERT, UPDATE, DELETE ON tidewire_nodes TO guest`,
    );
    assert.equal(await a.found.next(), "back");
    await using b = await BackendNode.connect("test", "BBBB", server.port, asGuest);
    assert.equal(await b.announce(), true);
    await b.finds("AAAA");
  });

  it("is written by many nodes whose leases have ended, of which none waits for another", async () => {
    await owner.query(createTable("tidewire_nodes"));
    const ids = Array.from({ length: 12 }, (_, i) => `N${String(i).padStart(3, "0")}`);
    const nodes = await Promise.all(
      ids.map((id) => BackendNode.connect("test", id, server.port, clients["Client"]!)),
    );
    await Promise.all(nodes.map((each) => each.announce()));
    for (let round = 0; round < 10; round++) {
      await owner.query("UPDATE tidewire_nodes SET ends = now() - interval '1 second'");
      const have = await Promise.all(nodes.map((each) => each.discovery.announce(each.self)));
      assert.ok(have.every(Boolean));
    }
    const said = nodes.flatMap((each) => each.found.pending.filter((event) => !event.startsWith("finds")));
    await Promise.all(nodes.map((each) => each[Symbol.asyncDispose]()));
    assert.deepEqual(said, []);
  });

  it("tells a node of another one that has got its id", async () => {
    await using a = await BackendNode.connect("test", "AAAA", server.port, clients["Client"]!);
    assert.equal(await a.announce(), true);
    await owner.query("UPDATE tidewire_nodes SET epoch = 'another', ends = now() + interval '1 hour'");
    while ((await a.found.next()) !== "taken");
    const { rows } = await owner.query("SELECT epoch FROM tidewire_nodes");
    assert.deepEqual(rows, [{ epoch: "another" }]);
  });

  it("may be locked, and statements given up: nodes are away until one is answered", async () => {
    await owner.query(createTable("tidewire_nodes"));
    await using a = await BackendNode.connect("test", "AAAA", server.port, async (port) => ({
      backend: postgres({
        client: () => new Client({ ...address(port), statement_timeout: 2500 }),
        lease: LEASE,
      }),
      [Symbol.asyncDispose]: async () => {},
    }));
    assert.equal(await a.announce(), true);
    a.startChannels();
    await owner.query("BEGIN; LOCK TABLE tidewire_nodes");
    assert.equal(await a.found.next(), "away: DISCOVERY_AWAY");
    assert.equal(await a.heard.next(), "away: CHANNELS_AWAY");
    // The answer is that the statement has been cancelled.
    assert.equal(await a.heard.next(), "back");
    await owner.query("COMMIT");
    assert.equal(await a.found.next(), "back");
  });

  it("is empty when the leases of nodes that have left have ended", async () => {
    const a = await BackendNode.connect("test", "AAAA", server.port, clients["Client"]!);
    assert.equal(await a.announce(), true);
    await a[Symbol.asyncDispose]();
    await owner.query("UPDATE tidewire_nodes SET ends = now() - interval '1 second'");
    await using b = await BackendNode.connect("other", "BBBB", server.port, clients["Client"]!);
    assert.equal(await b.announce(), true);
    const { rows } = await owner.query("SELECT id FROM tidewire_nodes");
    assert.deepEqual(rows, [{ id: "BBBB" }]);
  });
});
