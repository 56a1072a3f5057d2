// What is kept in a real Redis, with the clients that applications have.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { clients } from "./clients.ts";
import type { Client } from "./clients.ts";
import { describeJournal, JournalNode, NOTHING } from "./journal-suite.ts";

describeWithRedis("a journal in Redis", () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(() => server[Symbol.asyncDispose]());

  for (const [name, connect] of Object.entries(clients)) {
    describeJournal(`with a client of ${name}`, { server: () => server, connect: () => connect(server.url) });
  }

  describe("is exact:", () => {
    let client: Client;

    beforeEach(async () => {
      client = await clients["ioredis"]!(server.url);
    });

    afterEach(() => client[Symbol.asyncDispose]());

    it("what it has is skipped, and what does not follow is refused", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await a.append(1, "E1", "E2");
      const { id } = await a.append(1, "E1", "E2");
      assert.equal(id, 2);
      await a.append(2, "E2", "E3");
      await assert.rejects(a.append(5, "E5"), /items are missing/);
      const items = (await a.batches.take(2)).map((batch) => [batch.first, ...batch.items]);
      assert.deepEqual(items, [
        [1, "E1", "E2"],
        [3, "E3"],
      ]);
      assert.deepEqual(
        (await a.journal.read("/", 0, 9)).map(({ item }) => item),
        ["E1", "E2", "E3"],
      );
    });

    it("after a time without it, a node goes on; another epoch begins if events are missing", async () => {
      await using a = await JournalNode.start(client.client, "a");
      const { epoch } = await a.append(1, "E1");
      await a.batches.next();
      const same = await a.journal.resume("/", 7, false);
      assert.equal(same.epoch, epoch);
      const other = await a.journal.resume("/", 9, true);
      assert.notEqual(other.epoch, epoch);
      assert.deepEqual([other.birth, other.id], [1, 1]);
      assert.deepEqual([other.history, other.origin], [same.history, 0]);
      const told = await a.batches.next();
      assert.deepEqual([told.after.epoch, told.items], [other.epoch, []]);
      assert.equal((await a.append(10, "E10")).id, 2);
    });

    it("another epoch begins when it has gone back to an earlier state", async () => {
      await using a = await JournalNode.start(client.client, "a");
      const known = await a.append(1, "E1", "E2");
      assert.equal((await a.place("/", known)).epoch, known.epoch);
      await client.command("HSET", "tidewire:{test}:journal", "n/", "1");
      const place = await a.place("/", known);
      assert.notEqual(place.epoch, known.epoch);
      assert.notEqual(place.history, known.history);
      assert.deepEqual([place.birth, place.origin, place.id], [1, 1, 1]);
    });

    it("namespaces are apart", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await a.journal.append({ namespace: "/ a\nb", first: 1, items: ["E1"] }, NOTHING, 0);
      await a.append(1, "E1", "E2");
      assert.equal((await a.place("/ a\nb")).id, 1);
      assert.equal((await a.batches.next()).namespace, "/ a\nb");
      assert.equal((await a.place("/")).id, 2);
    });

    it("nothing is kept of namespaces that a node, or all nodes, have not had for long", async () => {
      await using a = await JournalNode.start(client.client, "a");
      const names = Array.from({ length: 50 }, (_, index) => `/${index}`);
      await a.journal.renew(new Map(names.map((name) => [name, NOTHING])));
      for (const namespace of names)
        await a.journal.append({ namespace, first: 1, items: ["E1"] }, NOTHING, 0);
      const { epoch } = await a.place("/0");
      const key = "tidewire:{test}:journal";
      assert.deepEqual(await client.command("HKEYS", `${key}:sent:a`), ["/0"]);
      // A node goes on at any greater number when it has one again.
      await a.journal.append({ namespace: "/1", first: 7, items: ["E7"] }, NOTHING, 0);
      for (const name of names.slice(2)) await client.command("ZADD", `${key}:namespaces`, "1", name);
      assert.equal((await a.place("/0")).epoch, epoch);
      const fields = (await client.command("HKEYS", key)) as string[];
      assert.deepEqual(fields.toSorted(), ["e/", "e/0", "e/1", "n/", "n/0", "n/1"]);
      assert.equal(await client.command("ZCARD", `${key}:namespaces`), 3);
    });

    it("no more events are kept than `maxEvents`, or than are needed", async () => {
      await using a = await JournalNode.start(client.client, "a", { maxEvents: 200 });
      const items = Array.from({ length: 1000 }, (_, index) => `E${index}`);
      const { id } = await a.append(1, ...items);
      const kept = await a.journal.read("/", 0, id);
      assert.ok(kept.length >= 200 && kept.length < 400, String(kept.length));
      assert.equal(kept.at(-1)!.id, 1000);
      await a.journal.append({ namespace: "/", first: 1001, items: ["E"] }, NOTHING, 1000);
      assert.ok((await a.journal.read("/", 0, 1001)).length < 150);
    });

    it("the largest item reaches everybody, and what follows does, too", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
      await a.append(1, `E${"x".repeat(16 * 1024 * 1024 - 1)}`);
      await a.append(2, "E2");
      assert.deepEqual(
        (await b.batches.take(2)).map(({ items }) => items[0]!.length),
        [16 * 1024 * 1024, 2],
      );
    });

    it("a node is told that a state of it was taken over, and no other node is", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
      await b.journal.revoke("a", "/odd \n name", 'pid"', 12);
      await b.journal.revoke("b", "/", "pid", 34);
      assert.deepEqual(await a.revocations.next(), ["/odd \n name", 'pid"', 12]);
      assert.deepEqual(await b.revocations.next(), ["/", "pid", 34]);
      assert.deepEqual([a.revocations.pending, b.revocations.pending], [[], []]);
    });

    it("a state waits for as long as it may, and no longer", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await a.set("left", "state", { hasLeft: true });
      await a.set("there", "state");
      assert.equal(await a.take("left"), "state of a");
      await delay(550);
      assert.equal(await a.take("left"), "nothing");
      assert.equal(await a.take("there"), "state of a");
      await a.journal.write([
        { namespace: "/", pid: "there", state: undefined, isNew: false, hasLeft: false },
      ]);
      assert.equal(await a.take("there"), "nothing");
    });

    it("a node hears of a state that was taken over until it has been told, and does not write it again", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
      await a.set("pid", "state");
      const taken = (await b.journal.take("/", "pid", NOTHING))!;
      // Nobody has told it yet, and it does not know whether the journal has its state.
      await a.set("pid", "late");
      assert.equal(await b.take("pid"), "state of b");
      await a.journal.renew(new Map());
      assert.deepEqual(await a.revocations.next(), ["/", "pid", taken.takenAt]);
      await a.journal.renew(new Map());
      assert.deepEqual(a.revocations.pending, []);
      assert.deepEqual(await client.command("KEYS", "*:revoked:*"), []);
    });

    it("of two nodes that take over a state, one is later, and it may be back before its node hears of that", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
      await a.set("pid", "state");
      const takes = [a, b, a, b, a].map(({ journal }) => journal.take("/", "pid", NOTHING));
      const times = (await Promise.all(takes)).map((taken) => taken!.takenAt);
      assert.deepEqual(
        times,
        [...new Set(times)].toSorted((x, y) => x - y),
      );
      await a.journal.renew(new Map());
      await b.journal.renew(new Map());
      assert.deepEqual(await b.revocations.next(), ["/", "pid", times[4]]);
      assert.deepEqual(a.revocations.pending, []);
    });

    it("a node hears that its states are lost, although it has just heard of an earlier loss", async () => {
      await using a = await JournalNode.start(client.client, "a");
      // The answer to the first one has said so, for there was nothing.
      await client.command("FLUSHALL");
      assert.equal((await a.journal.renew(new Map())).hasLostStates, true);
      assert.equal((await a.journal.renew(new Map())).hasLostStates, false);
    });

    it("a node whose states others have taken over has lost none", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
      await a.set("pid", "state");
      await a.journal.renew(new Map());
      assert.equal(await b.take("pid"), "state of a");
      assert.equal((await a.journal.renew(new Map())).hasLostStates, false);
      await client.command("FLUSHALL");
      // It says so until the node has an answer.
      const renewals = await Promise.all([a.journal.renew(new Map()), a.journal.renew(new Map())]);
      assert.ok(renewals.every(({ hasLostStates }) => hasLostStates));
      assert.equal((await a.journal.renew(new Map())).hasLostStates, false);
    });

    it("the states of a node that has died go with its lease, and then everything else", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await a.set("pid", "state");
      await a.append(1, "E1");
      await a.journal.renew(new Map());
      assert.equal((await a.journal.renew(new Map())).hasLostStates, false);
      await delay(1600);
      await using b = await JournalNode.start(client.client, "b");
      assert.equal(await b.take("pid"), "nothing");
      assert.equal((await a.journal.renew(new Map())).hasLostStates, true);
      await delay(2100);
      assert.deepEqual(await client.command("KEYS", "*"), []);
    });
  });
});
