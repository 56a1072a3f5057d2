// What a journal in Redis does, on one server or on a cluster.
import assert from "node:assert/strict";
import type { ArrivedBatch, Journal, Place } from "@tidewire/cluster";
import { Queue } from "../../../test/support/waiting/queue.ts";
import { redis } from "../src/redis.ts";
import type { RedisOptions } from "../src/redis.ts";
import type { Client } from "./clients.ts";

export const NOTHING: Place = { epoch: "", birth: 0, history: "", origin: 0, id: 0, at: 0 };

/** A node that uses the journal. */
export class JournalNode implements AsyncDisposable {
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
  ): Promise<JournalNode> {
    const node = new JournalNode(client, publisher, options);
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

interface Server {
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** How a journal is tested. */
export interface TestedJournal {
  server: () => Server;
  connect: () => Promise<Client>;
}

/** Declares the tests that depend on the client, and on what is at its other end. */
export function describeJournal(title: string, { server, connect }: TestedJournal): void {
  describe(title, () => {
    let client: Client;

    beforeEach(async () => {
      client = await connect();
    });

    afterEach(() => client[Symbol.asyncDispose]());

    it("numbers events, keeps them, and publishes them with everything else in one order", async () => {
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
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
      await using a = await JournalNode.start(client.client, "a");
      await using b = await JournalNode.start(client.client, "b");
      await a.set("pid", '["é\\n"]');
      assert.equal(await b.take("another"), "nothing");
      assert.equal(await b.take("pid", "/other"), "nothing");
      assert.equal(await b.take("pid"), '["é\\n"] of a');
      // It belongs to the other one now.
      await a.set("pid", "late", { isNew: false });
      assert.equal(await a.take("pid"), '["é\\n"] of b');
    });

    it("listens again when Redis was away", async () => {
      await using a = await JournalNode.start(client.client, "a");
      const before = await a.append(1, "E1");
      await a.batches.next();
      await server().kill();
      await server().start();
      await a.listens();
      const after = await a.place("/", before);
      assert.notEqual(after.epoch, before.epoch);
      assert.deepEqual([after.birth, after.id], [0, 0]);
      await a.append(2, "E2");
      let batch = await a.batches.next();
      // Between the servers of a cluster, a publication of another test may still have been on its way.
      while (batch.after.epoch !== after.epoch) batch = await a.batches.next();
      assert.deepEqual([batch.after.epoch, batch.after.id, batch.items], [after.epoch, 0, ["E2"]]);
    });
  });
}
