// How backends over NATS treat what is special about it: its connections, its permissions.
import assert from "node:assert/strict";
import { connect } from "nats";
import { BackendNode, LEASE } from "../../../test/support/backends/node.ts";
import type { Connected } from "../../../test/support/backends/node.ts";
import { NatsServer, describeWithNats } from "../../../test/support/nats/nats-server.ts";
import { nats } from "../src/nats.ts";
import { clients } from "./clients.ts";

describeWithNats("a connection to NATS", () => {
  let server: NatsServer;

  before(async () => {
    server = await NatsServer.start();
  });

  after(() => server[Symbol.asyncDispose]());

  it("that gives up is reported, with what to do", async () => {
    await using a = await BackendNode.connect("test", "AAAA", server.port, async (port) => {
      const connection = await connect({ port, maxReconnectAttempts: 1, reconnectTimeWait: 10 });
      return {
        backend: nats({ connection, lease: LEASE }),
        [Symbol.asyncDispose]: () => connection.close(),
      };
    });
    assert.equal(await a.announce(), true);
    a.startChannels();
    a.cable.cut();
    assert.equal(await a.found.next(), "away: DISCOVERY_AWAY");
    assert.equal(await a.heard.next(), "away: CHANNELS_AWAY");
    a.publish(1, "lost");
    const subscribed = a.channels.subscribe(1);
    await a.channels.close();
    await subscribed;
  });

  it("that the application has closed is reported, and harms nobody", async () => {
    const connection = await connect({ port: server.port });
    const { discovery, channels } = nats({ connection, lease: LEASE });
    await connection.close();
    const said: string[] = [];
    const handlers = {
      onNodes: () => said.push("nodes"),
      onTaken: () => said.push("taken"),
      onPublication: () => said.push("publication"),
      onAway: (error: Error) => said.push(error.message.replace(/.*: NATS: /, "")),
      onBack: () => said.push("back"),
      onConfirmed: () => {},
    };
    discovery.start("test", handlers);
    channels.start("test", handlers);
    await assert.rejects(discovery.announce({ id: "AAAA", epoch: "1", address: "a:1" }));
    channels.publish(1, Buffer.from("lost"));
    await Promise.all([discovery.close(), channels.close()]);
    assert.equal(said.length, 2);
  });

  it("needs no permissions but those of its prefix", async () => {
    await using strict = await NatsServer.start(
      'authorization { users = [{ user: u, password: p, permissions: { publish: "acme.>", subscribe: "acme.>" } }] }',
    );
    const connectAsUser = async (port: number): Promise<Connected> => {
      const connection = await connect({ port, user: "u", pass: "p" });
      return {
        backend: nats({ connection, lease: LEASE, prefix: "acme" }),
        [Symbol.asyncDispose]: () => connection.close(),
      };
    };
    await using a = await BackendNode.connect("test", "AAAA", strict.port, connectAsUser);
    await using b = await BackendNode.connect("test", "BBBB", strict.port, connectAsUser);
    assert.deepEqual([await a.announce(), await b.announce()], [true, true]);
    await b.finds("AAAA");
    for (const each of [a, b]) each.startChannels();
    await a.channels.subscribe(1);
    b.publish(1, "hello");
    assert.equal(await a.heard.next(), "1: hello");
  });

  it("that may not subscribe to something is reported", async () => {
    const denied = '["tidewire.test.1", "tidewire.test.nodes"]';
    await using strict = await NatsServer.start(
      `authorization { users = [{ user: u, password: p, permissions: { publish: ">", subscribe: { deny: ${denied} } } }] }`,
    );
    await using a = await BackendNode.connect("test", "AAAA", strict.port, async (port) => {
      const connection = await connect({ port, user: "u", pass: "p" });
      return {
        backend: nats({ connection, lease: LEASE }),
        [Symbol.asyncDispose]: () => connection.close(),
      };
    });
    a.startChannels();
    await a.channels.subscribe(2);
    assert.deepEqual(a.heard.pending, []);
    void a.channels.subscribe(1);
    assert.equal(await a.heard.next(), "away: CHANNELS_AWAY");
    a.startDiscovery();
    assert.equal(await a.found.next(), "away: DISCOVERY_AWAY");
  });

  it("carries what is no message of a node to nobody", async () => {
    await using a = await BackendNode.connect("test", "AAAA", server.port, clients["nats"]!);
    await using b = await BackendNode.connect("test", "BBBB", server.port, clients["nats"]!);
    assert.equal(await a.announce(), true);
    const connection = await connect({ port: server.port });
    for (const text of [
      "{",
      "1",
      "[]",
      '{"id":1}',
      '{"nodes":[{}]}',
      '{"id":"CCCC","epoch":"1","address":"c:1"}',
    ])
      connection.publish("tidewire.test.nodes", text);
    connection.publish("tidewire.test.nodes.who", "");
    await connection.close();
    assert.equal(await b.announce(), true);
    assert.equal(await a.found.next(), "finds BBBB@BBBB:1");
  });
});
