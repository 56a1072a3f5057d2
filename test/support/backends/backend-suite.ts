// What every backend has to do, on a real server.
import assert from "node:assert/strict";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { block } from "../process/blocked-loop.ts";
import { PATIENCE, within } from "../waiting/queue.ts";
import { BackendNode, LEASE } from "./node.ts";
import type { Connect } from "./node.ts";

/** Longer than a server may take to answer, in ms. */
const STOPPED = 2500;

/** As much as a test sends at once, in bytes. */
const LARGE = 1_048_576;

/** A server of the engine that a backend uses. */
export interface BackendServer extends AsyncDisposable {
  readonly port: number;
  /** If there are several. */
  readonly ports?: readonly number[];
  /** All its connections break; it may keep nothing. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** How a backend is tested. */
export interface TestedBackend {
  /** Starts a server, for all tests. */
  serve: () => Promise<BackendServer>;
  connect: Connect;
  /** Leaves out what depends on time rather than on the client. */
  isBrief?: boolean;
}

/** Declares the tests of a backend. */
export function describeBackend(title: string, { serve, connect, isBrief = false }: TestedBackend): void {
  const slowly = isBrief ? () => {} : it;

  describe(title, function () {
    this.timeout(30_000);

    let server: BackendServer;
    let nodes: BackendNode[];
    let cluster = 0;

    before(async () => {
      server = await serve();
    });

    after(() => server[Symbol.asyncDispose]());

    beforeEach(() => {
      cluster++;
      nodes = [];
    });

    afterEach(async () => {
      await Promise.all(nodes.map((each) => each[Symbol.asyncDispose]()));
    });

    async function node(id: string, lease?: number): Promise<BackendNode> {
      const ports = server.ports ?? server.port;
      const made = await BackendNode.connect(`test.${cluster}`, id, ports, connect, lease);
      nodes.push(made);
      return made;
    }

    /** A node that is subscribed to these channels. */
    async function listener(id: string, ...channels: number[]): Promise<BackendNode> {
      const made = await node(id);
      made.startChannels();
      await Promise.all(channels.map((channel) => made.channels.subscribe(channel)));
      return made;
    }

    describe("discovery", () => {
      it("lets three nodes find each other at once, and notice when one leaves", async () => {
        // No lease ends, and is not prolonged, within the test.
        const long = 10 * PATIENCE;
        const [a, b, c] = [await node("AAAA", long), await node("BBBB", long), await node("CCCC", long)];
        assert.equal(await a.announce(), true);
        assert.equal(await b.announce(), true);
        await Promise.all([a.finds("BBBB"), b.finds("AAAA")]);
        assert.equal(await c.announce(), true);
        await Promise.all([a.finds("BBBB", "CCCC"), b.finds("AAAA", "CCCC"), c.finds("AAAA", "BBBB")]);
        await c.discovery.close();
        await Promise.all([a.finds("BBBB"), b.finds("AAAA")]);
      });

      it("lets nodes find each other that start together", async () => {
        const all = await Promise.all(["AAAA", "BBBB", "CCCC", "DDDD"].map((id) => node(id)));
        assert.deepEqual(await Promise.all(all.map((each) => each.announce())), [true, true, true, true]);
        await Promise.all(
          all.map((each) =>
            each.finds(...["AAAA", "BBBB", "CCCC", "DDDD"].filter((id) => id !== each.self.id)),
          ),
        );
      });

      it("tells a node that is alone so", async () => {
        const a = await node("AAAA");
        const told = new Promise<number>((resolve) => {
          a.discovery.start(`alone.${cluster}`, {
            onNodes: (found) => resolve(found.length),
            onTaken: () => {},
            onAway: () => {},
            onBack: () => {},
          });
        });
        assert.equal(await within(told, "the nodes"), 0);
      });

      it("refuses an id that is taken; the node that has it keeps it", async () => {
        const [a, other, witness] = [await node("AAAA"), await node("AAAA"), await node("BBBB")];
        assert.deepEqual([await a.announce(), await witness.announce()], [true, true]);
        assert.equal(await other.announce(), false);
        assert.equal(await a.discovery.announce(a.self), true);
        assert.equal(await other.discovery.announce({ ...other.self, id: "CCCC", address: "CCCC:1" }), true);
        await witness.finds("AAAA", "CCCC");
        assert.ok(!a.found.pending.includes("taken"));
      });

      it("gives an id to one of two nodes that take it at the same time", async () => {
        const [a, other] = [await node("AAAA"), await node("AAAA")];
        const have = await Promise.all([a, other].map((each) => each.announce()));
        const losers = have.filter((hasId) => !hasId).length;
        // One that has lost it a moment later is told.
        if (losers === 0) await within(Promise.race([a.taken, other.taken]), "the end of one");
        else assert.equal(losers, 1);
      });

      slowly("ends the lease of a node that has died or left, and not before", async () => {
        const [witness, dead, left] = [await node("AAAA"), await node("BBBB"), await node("CCCC")];
        const [heir, other] = [await node("BBBB"), await node("CCCC")];
        for (const each of [witness, dead, left]) assert.equal(await each.announce(), true);
        await witness.finds("BBBB", "CCCC");
        dead.cable.cut();
        await left.discovery.close();
        await witness.finds("BBBB");
        assert.deepEqual([await heir.announce(), await other.announce()], [false, false]);
        await witness.finds();
        await delay(LEASE / 2);
        assert.deepEqual(
          [await heir.discovery.announce(heir.self), await other.discovery.announce(other.self)],
          [true, true],
        );
        await witness.finds("BBBB", "CCCC");
      });

      slowly("tells a node that was cut off that another one has its id", async () => {
        const [a, witness, other] = [await node("AAAA"), await node("BBBB"), await node("AAAA")];
        assert.deepEqual([await a.announce(), await witness.announce()], [true, true]);
        await witness.finds("AAAA");
        a.cable.cut();
        await until(a, "away: DISCOVERY_AWAY");
        await witness.finds();
        assert.equal(await other.announce(), true);
        // It claims its id like a node that has it.
        await delay(LEASE / 2);
        a.cable.mend();
        await until(a, "taken");
        assert.ok(!other.found.pending.includes("taken"));
      });

      it("goes on when the server has been killed and started, also with nodes that come then", async () => {
        const [a, b] = [await node("AAAA"), await node("BBBB")];
        assert.deepEqual([await a.announce(), await b.announce()], [true, true]);
        await Promise.all([a.finds("BBBB"), b.finds("AAAA")]);
        await server.kill();
        await Promise.all([until(a, "away: DISCOVERY_AWAY"), until(b, "away: DISCOVERY_AWAY")]);
        await server.start();
        const c = await node("CCCC");
        assert.equal(await c.announce(), true);
        await Promise.all([until(a, "back"), until(b, "back")]);
        await Promise.all([a.finds("BBBB", "CCCC"), b.finds("AAAA", "CCCC"), c.finds("AAAA", "BBBB")]);
      });

      it("notices a server that does not answer, and its end", async () => {
        const a = await node("AAAA");
        assert.equal(await a.announce(), true);
        a.cable.block();
        assert.equal(await a.found.next(), "away: DISCOVERY_AWAY");
        a.cable.mend();
        assert.equal(await a.found.next(), "back");
      });

      it("rejects an announcement while the server cannot be reached, and makes it later", async () => {
        const [a, b] = [await node("AAAA"), await node("BBBB")];
        assert.equal(await b.announce(), true);
        a.startDiscovery();
        a.cable.cut();
        await until(a, "away: DISCOVERY_AWAY");
        await assert.rejects(a.discovery.announce(a.self));
        a.cable.mend();
        await b.finds("AAAA");
      });

      slowly("closes in time while the server cannot be reached", async () => {
        const a = await node("AAAA");
        assert.equal(await a.announce(), true);
        a.cable.block();
        await within(Promise.all([a.discovery.close(), a.channels.close()]), "the end", 8000);
      });
    });

    // The cables are in this process, too: answers need some turns more than without them.
    slowly("is not away, nor does it lose anything, when its process was stopped", async () => {
      const long = 10 * PATIENCE;
      const [a, b] = [await node("AAAA", long), await node("BBBB", long)];
      assert.deepEqual([await a.announce(), await b.announce()], [true, true]);
      await Promise.all([a.finds("BBBB"), b.finds("AAAA")]);
      for (const each of [a, b]) each.startChannels();
      await b.channels.subscribe(1);
      // Some questions are under way, others have not left.
      a.discovery.refresh();
      const subscribed = a.channels.subscribe(1);
      a.publish(1, "one");
      await turn();
      b.discovery.refresh();
      const subscribedToo = b.channels.subscribe(2);
      a.publish(1, "two");
      block(STOPPED);
      a.publish(1, "three");
      await Promise.all([subscribed, subscribedToo]);
      assert.deepEqual(await b.heard.take(3), ["1: one", "1: two", "1: three"]);
      a.publish(2, "four");
      assert.equal(await b.heard.next(), "2: four");
      assert.deepEqual([a.found.pending, b.found.pending], [[], []]);
      assert.ok(!a.heard.pending.some((event) => event.startsWith("away")));
    });

    describe("channels", () => {
      it("carry publications in order, those of one tick and of many", async () => {
        const [a, b, c] = [await listener("AAAA"), await listener("BBBB", 1, 2), await listener("CCCC", 2)];
        for (let i = 0; i < 200; i++) {
          a.publish(1, `one ${i}`);
          a.publish(2, `two ${i}`);
          if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
        }
        const atB = await b.heard.take(400);
        const sent = (channel: string, word: string): string[] =>
          Array.from({ length: 200 }, (_, i) => `${channel}: ${word} ${i}`);
        assert.deepEqual(
          atB.filter((each) => each.startsWith("1")),
          sent("1", "one"),
        );
        assert.deepEqual(
          atB.filter((each) => each.startsWith("2")),
          sent("2", "two"),
        );
        assert.deepEqual(await c.heard.take(200), sent("2", "two"));
        assert.deepEqual([...b.heard.pending, ...c.heard.pending], []);
      });

      it("carry what is published once a subscription is made, and nothing after its end", async () => {
        const [a, b] = [await listener("AAAA"), await listener("BBBB")];
        for (let channel = 0; channel < 20; channel++) {
          await b.channels.subscribe(channel);
          a.publish(channel, "now");
          assert.equal(await b.heard.next(), `${channel}: now`);
        }
        b.channels.unsubscribe(7);
        // Whatever it takes to unsubscribe, this subscription comes after it: Redis Cluster has both on one server.
        await b.channels.subscribe(103);
        for (const channel of [7, 103]) a.publish(channel, "later");
        assert.equal(await b.heard.next(), "103: later");
        await b.channels.subscribe(7);
        a.publish(7, "again");
        assert.equal(await b.heard.next(), "7: again");
      });

      it("are those of one cluster", async () => {
        const a = await listener("AAAA");
        cluster++;
        const b = await listener("BBBB", 1);
        a.publish(1, "to another cluster");
        b.publish(1, "to this one");
        assert.equal(await b.heard.next(), "1: to this one");
      });

      it("carry any bytes, up to the limit", async () => {
        const [a, b] = [await listener("AAAA"), await node("BBBB")];
        const arrived: Buffer[] = [];
        const all = new Promise<void>((resolve) => {
          b.channels.start(`test.${cluster}`, {
            onPublication: (_channel, payload) => {
              if (arrived.push(payload) === 3) resolve();
            },
            onAway: () => {},
            onBack: () => {},
            onConfirmed: () => {},
          });
        });
        await b.channels.subscribe(1);
        const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
        const largest = Buffer.alloc(Math.min(a.channels.maxBytes, LARGE), every);
        for (const payload of [every, largest, Buffer.alloc(0)]) a.channels.publish(1, Buffer.from(payload));
        await within(all, "three publications");
        // They stay valid.
        assert.ok(arrived[0]!.equals(every) && arrived[1]!.equals(largest) && arrived[2]!.length === 0);
      });

      it("are back, with their subscriptions, when the server has been killed and started", async () => {
        const [a, b] = [await listener("AAAA"), await listener("BBBB", 1)];
        await server.kill();
        for (const each of [a, b]) assert.equal(await each.heard.next(), "away: CHANNELS_AWAY");
        // It may be lost, or come late.
        a.publish(1, "meanwhile");
        const subscribed = b.channels.subscribe(2);
        await server.start();
        for (const each of [a, b]) while ((await each.heard.next()) !== "back");
        await within(subscribed, "a subscription of meanwhile");
        a.publish(1, "one");
        while ((await b.heard.next()) !== "1: one");
        a.publish(2, "two");
        assert.equal(await b.heard.next(), "2: two");
      });

      it("send what waits before they close, and can start again", async () => {
        const [a, b] = [await listener("AAAA", 1), await listener("BBBB", 1)];
        a.publish(1, "last words");
        await a.channels.close();
        assert.equal(await b.heard.next(), "1: last words");
        b.publish(1, "to nobody");
        assert.equal(await b.heard.next(), "1: to nobody");
        a.startChannels();
        await a.channels.subscribe(1);
        b.publish(1, "welcome");
        while ((await a.heard.next()) !== "1: welcome");
        assert.ok(!a.heard.pending.includes("1: to nobody"));
      });
    });
  });
}

/** Waits until the discovery of a node says something, whatever it says before. */
async function until(node: BackendNode, said: string): Promise<void> {
  while ((await node.found.next()) !== said);
}
