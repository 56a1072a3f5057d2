// What is kept in a real Redis, with the clients that applications have.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ArrivedBatch, Journal, Place } from "@tidewire/cluster";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { Queue } from "../../../test/support/waiting/queue.ts";
import { redis } from "../src/redis.ts";
import type { RedisOptions } from "../src/redis.ts";
import { clients } from "./clients.ts";
import type { Client } from "./clients.ts";

const NOTHING: Place = { epoch: "", birth: 0, history: "", origin: 0, id: 0, at: 0 };

/** A node that uses the journal. */
class Node implements AsyncDisposable {
  readonly journal: Journal;
  readonly batches: Queue<ArrivedBatch> = new Queue("a batch");
  readonly revocations: Queue<[namespace: string, pid: string, at: number]> = new Queue("a revocation");
  readonly #listening: Queue<void> = new Queue("the journal to listen");

  private constructor(client: RedisOptions["client"], publisher: string, options: Partial<RedisOptions>) {
    this.journal = redis({ client, lease: 1000, ...options }).journal;
    this.journal.start(
      { cluster: "test", publisher, maxDisconnectionDuration: 500, blindTime: 500 },
      {
        onBatch: (batch) => this.batches.push(batch),
        onRevoked: (...revoked) => this.revocations.push(revoked),
        onListening: () => this.#listening.push(),
        onDeaf: () => {},
      },
    );
  }

  static async start(
    client: RedisOptions["client"],
    publisher: string,
    options: Partial<RedisOptions> = {},
  ): Promise<Node> {
    const node = new Node(client, publisher, options);
    await node.listens();
    await node.place("/");
    return node;
  }

  listens(): Promise<void> {
    return this.#listening.next();
  }

  async place(namespace: string, known: Place = NOTHING): Promise<Place> {
    const { places } = await this.journal.renew(new Map([[namespace, known]]));
    return places.get(namespace)!;
  }

  append(first: number, ...items: string[]): Promise<Place> {
    return this.journal.append({ namespace: "/", first, items }, NOTHING, 0);
  }

  async set(pid: string, state: string, change: { isNew?: boolean; hasLeft?: boolean } = {}): Promise<void> {
    const { isNew = true, hasLeft = false } = change;
    await this.journal.write([{ namespace: "/", pid, state, isNew, hasLeft }]);
  }

  async take(pid: string, namespace: string = "/"): Promise<string> {
    const taken = await this.journal.take(namespace, pid, NOTHING);
    return taken === undefined ? "nothing" : `${taken.state} of ${taken.publisher}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.journal.close();
  }
}

describeWithRedis("a journal in Redis", () => {
  let server: RedisServer;

  beforeEach(async () => {
    server = await RedisServer.start();
  });

  afterEach(() => server[Symbol.asyncDispose]());

  for (const [name, connect] of Object.entries(clients)) {
    describe(`with a client of ${name}`, () => {
      let client: Client;

      beforeEach(async () => {
        client = await connect(server.url);
      });

      afterEach(() => client[Symbol.asyncDispose]());

      it("numbers events, keeps them, and publishes them with everything else in one order", async () => {
        await using a = await Node.start(client.client, "a");
        await using b = await Node.start(client.client, "b");
        await a.append(1, "E1", "Vé", "E[\n]\u{1F600}");
        const place = await b.append(1, "E3");
        await a.append(4, "E4");
        for (const node of [a, b]) {
          const batches = await node.batches.take(3);
          assert.deepEqual(
            batches.map(({ namespace, publisher, first, items, after }) => [
              `${namespace} ${publisher} ${first} after ${after.id}`,
              ...items,
            ]),
            [
              ["/ a 1 after 0", "E1", "Vé", "E[\n]\u{1F600}"],
              ["/ b 1 after 2", "E3"],
              ["/ a 4 after 3", "E4"],
            ],
          );
          assert.ok(batches.every(({ after }) => after.epoch === place.epoch));
        }
        assert.equal(place.id, 3);
        const events = await b.journal.read("/", 1, 3);
        assert.deepEqual(
          events.map(({ id, item, publisher, seq }) => [id, item, publisher, seq]),
          [
            [2, "E[\n]\u{1F600}", "a", 3],
            [3, "E3", "b", 1],
          ],
        );
      });

      it("hands over states, once", async () => {
        await using a = await Node.start(client.client, "a");
        await using b = await Node.start(client.client, "b");
        await a.set("pid", '["é\\n"]');
        assert.equal(await b.take("another"), "nothing");
        assert.equal(await b.take("pid", "/other"), "nothing");
        assert.equal(await b.take("pid"), '["é\\n"] of a');
        // It belongs to the other one now.
        await a.set("pid", "late", { isNew: false });
        assert.equal(await a.take("pid"), '["é\\n"] of b');
      });

      it("listens again when Redis was away", async () => {
        await using a = await Node.start(client.client, "a");
        const before = await a.append(1, "E1");
        await a.batches.next();
        await server.kill();
        await server.start();
        await a.listens();
        const after = await a.place("/", before);
        assert.notEqual(after.epoch, before.epoch);
        assert.deepEqual([after.birth, after.id], [0, 0]);
        await a.append(2, "E2");
        const batch = await a.batches.next();
        assert.deepEqual([batch.after.epoch, batch.after.id, batch.items], [after.epoch, 0, ["E2"]]);
      });
    });
  }

  describe("is exact:", () => {
    let client: Client;

    beforeEach(async () => {
      client = await clients["ioredis"]!(server.url);
    });

    afterEach(() => client[Symbol.asyncDispose]());

    it("what it has is skipped, and what does not follow is refused", async () => {
      await using a = await Node.start(client.client, "a");
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
      await using a = await Node.start(client.client, "a");
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
      await using a = await Node.start(client.client, "a");
      const known = await a.append(1, "E1", "E2");
      assert.equal((await a.place("/", known)).epoch, known.epoch);
      await client.command("HSET", "tidewire:{test}:journal", "n/", "1");
      const place = await a.place("/", known);
      assert.notEqual(place.epoch, known.epoch);
      assert.notEqual(place.history, known.history);
      assert.deepEqual([place.birth, place.origin, place.id], [1, 1, 1]);
    });

    it("namespaces are apart", async () => {
      await using a = await Node.start(client.client, "a");
      await a.journal.append({ namespace: "/ a\nb", first: 1, items: ["E1"] }, NOTHING, 0);
      await a.append(1, "E1", "E2");
      assert.equal((await a.place("/ a\nb")).id, 1);
      assert.equal((await a.batches.next()).namespace, "/ a\nb");
      assert.equal((await a.place("/")).id, 2);
    });

    it("no more events are kept than `maxEvents`, or than are needed", async () => {
      await using a = await Node.start(client.client, "a", { maxEvents: 200 });
      const items = Array.from({ length: 1000 }, (_, index) => `E${index}`);
      const { id } = await a.append(1, ...items);
      const kept = await a.journal.read("/", 0, id);
      assert.ok(kept.length >= 200 && kept.length < 400, String(kept.length));
      assert.equal(kept.at(-1)!.id, 1000);
      await a.journal.append({ namespace: "/", first: 1001, items: ["E"] }, NOTHING, 1000);
      assert.ok((await a.journal.read("/", 0, 1001)).length < 150);
    });

    it("a node is told that a state of it was taken over, and no other node is", async () => {
      await using a = await Node.start(client.client, "a");
      await using b = await Node.start(client.client, "b");
      await b.journal.revoke("a", "/odd \n name", 'pid"', 12);
      await b.journal.revoke("b", "/", "pid", 34);
      assert.deepEqual(await a.revocations.next(), ["/odd \n name", 'pid"', 12]);
      assert.deepEqual(await b.revocations.next(), ["/", "pid", 34]);
      assert.deepEqual([a.revocations.pending, b.revocations.pending], [[], []]);
    });

    it("a state waits for as long as it may, and no longer", async () => {
      await using a = await Node.start(client.client, "a");
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

    it("the states of a node that has died go with its lease, and then everything else", async () => {
      await using a = await Node.start(client.client, "a");
      await a.set("pid", "state");
      await a.append(1, "E1");
      const { hasLostStates } = await a.journal.renew(new Map());
      assert.equal(hasLostStates, false);
      await delay(1600);
      await using b = await Node.start(client.client, "b");
      assert.equal(await b.take("pid"), "nothing");
      assert.equal((await a.journal.renew(new Map())).hasLostStates, true);
      await delay(2100);
      assert.deepEqual(await client.command("KEYS", "*"), []);
    });
  });
});
