import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { DrivenLoop } from "../../../engine/test/driven-loop.ts";
import { PASSING, readEvent, writeEvent } from "../../src/journal/items.ts";
import type { EventItem } from "../../src/journal/items.ts";
import { EVENT } from "../../src/journal/journal.ts";
import { Journaling } from "../../src/journal/journaling.ts";
import type { NamespaceJournal } from "../../src/journal/namespace-journal.ts";
import { parseOffset } from "../../src/journal/offset.ts";
import type { Received } from "../../src/journal/offset.ts";
import { readState, SessionStates } from "../../src/journal/session-states.ts";
import type { RecoverableSocket } from "../../src/journal/session-states.ts";
import { Members } from "../../src/members.ts";
import { MemoryJournal } from "./memory-journal.ts";

const target = { rooms: new Set<string>(), except: new Set<string>(), flags: {} };

/** The item of an event. */
const eventItem = (text: string): string => writeEvent(EVENT, target, [text]);

/** A node with one namespace. */
class JournalNode implements AsyncDisposable {
  readonly loop: DrivenLoop = new DrivenLoop();
  readonly journal: MemoryJournal = new MemoryJournal();
  readonly sockets: Map<string, RecoverableSocket> = new Map();
  readonly states: SessionStates = new SessionStates("/", "home", this.sockets);
  /** What arrived for the sockets. */
  readonly events: string[] = [];
  /** How many messages of other nodes were missing, each time. */
  readonly gaps: number[] = [];
  readonly #maxLogBytes: number;
  readonly journaling: Journaling;
  readonly namespace: NamespaceJournal;

  constructor(maxLogBytes: number = 1e6) {
    this.journaling = new Journaling(this.journal, new Members(this.loop), {
      onAway() {},
      onBack() {},
      onGap: (_from, missed) => void this.gaps.push(missed),
    });
    this.#maxLogBytes = maxLogBytes;
    this.namespace = this.open("/", this.states);
  }

  open(name: string, states: SessionStates): NamespaceJournal {
    const receiver = {
      states,
      letGo: () => undefined,
      onEvent: ({ parts }: EventItem) => void this.events.push(String(parts[0])),
      onCast() {},
    };
    const options = { isTotallyOrdered: false, maxLogBytes: this.#maxLogBytes, window: 60_000 };
    return this.journaling.open(name, receiver, options);
  }

  /** A client joins. */
  join(id: string, start: string | number = "start"): void {
    const socket = {
      id,
      pid: `pid-${id}`,
      rooms: new Set([id]),
      data: {},
      _expiresAt: undefined,
      _gone: false,
    };
    this.sockets.set(id, socket);
    this.states.joined(id, start, undefined);
    this.journaling.flushLater(this.namespace);
  }

  /** It leaves, and nobody waits for it. */
  leave(id: string): void {
    const change = this.states.left(id);
    this.sockets.delete(id);
    if (change !== undefined) this.journaling.change(change);
  }

  async settle(): Promise<void> {
    for (let turns = 0; turns < 20; turns++) {
      this.loop.advance(0);
      await turn();
    }
  }

  async start(): Promise<this> {
    const started = this.journaling.start("test");
    await this.settle();
    await started;
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.journaling.stop();
  }
}

describe("the journal of a node", () => {
  it("keeps for a socket what was sent before the place of the namespace is known, but not what it joined after", async () => {
    await using node = new JournalNode();
    const item = eventItem('2["event"]');
    const send = (): unknown => node.namespace.addEvent(item, readEvent(item));
    send();
    node.join("s", node.namespace.sent);
    send();
    await node.start();
    await node.settle();
    const [start] = node.journal.changes.flat().map(({ state }) => readState("pid-s", state!).start);
    const received = parseOffset(start!) as Received;
    assert.deepEqual([received.id, received.seq], [0, 1]);
  });

  it("that is away has nothing to write of sockets that have come and gone meanwhile", async () => {
    await using node = await new JournalNode().start();
    node.join("before");
    await node.settle();
    node.journal.isAway = true;
    for (let count = 0; count < 100; count++) {
      node.join(`s${count}`);
      await node.settle();
      node.leave(`s${count}`);
      await node.settle();
    }
    node.leave("before");
    node.join("after");
    node.journal.isAway = false;
    node.journal.changes.length = 0;
    node.loop.advance(1000);
    await node.settle();
    const written = node.journal.changes.flat().map(({ pid, state }) => [pid, state !== undefined]);
    // The first of them was given to it when it was not known to be away: it may have it.
    assert.deepEqual(written, [
      ["pid-s0", false],
      ["pid-before", false],
      ["pid-after", true],
    ]);
  });

  it("gets the states again that it has lost, also if it said so before its batches arrive", async () => {
    await using node = await new JournalNode().start();
    node.join("s");
    await node.settle();
    node.journal.isAway = true;
    node.loop.advance(node.journal.lease);
    await node.settle();
    node.journal.isListening = false;
    node.journal.hasLostStates = true;
    node.journal.isAway = false;
    node.loop.advance(1000);
    await node.settle();
    assert.equal(node.journal.hasLostStates, false);
    node.journal.changes.length = 0;
    node.journal.isListening = true;
    await node.settle();
    assert.deepEqual(
      node.journal.changes.flat().map(({ pid, isNew }) => [pid, isNew]),
      [["pid-s", true]],
    );
  });

  it("that hangs gets the latest change of a socket last, however many could not be written", async () => {
    await using node = await new JournalNode().start();
    const failures: (() => void)[] = [];
    node.journal.beforeWrite = () =>
      new Promise((_, reject) => failures.push(() => reject(new Error("no answer"))));
    node.join("s");
    await node.settle();
    node.leave("s");
    await node.settle();
    node.journal.isAway = true;
    for (const fail of failures) fail();
    await node.settle();
    node.journal.beforeWrite = () => Promise.resolve();
    node.journal.isAway = false;
    node.loop.advance(1000);
    await node.settle();
    assert.deepEqual(
      node.journal.changes.flat().map(({ pid, state }) => [pid, state]),
      [["pid-s", undefined]],
    );
  });

  it("writes one change after the other, and tells when those of a tick are written", async () => {
    await using node = await new JournalNode().start();
    const writes: (() => void)[] = [];
    const told: string[] = [];
    node.journal.beforeWrite = () => new Promise((resolve) => writes.push(resolve));
    for (const id of ["a", "b"]) {
      node.join(id);
      void node.journaling.written().then(() => told.push(id));
      await node.settle();
    }
    assert.deepEqual([writes.length, told], [1, []]);
    writes[0]!();
    await node.settle();
    assert.deepEqual([writes.length, told], [2, ["a"]]);
    writes[1]!();
    await node.settle();
    assert.deepEqual(told, ["a", "b"]);
    node.journal.beforeWrite = () => Promise.resolve();
  });

  it("that has stopped keeps nothing that is emitted, for nobody gets it", async () => {
    await using node = await new JournalNode().start();
    node.namespace.add(eventItem("one"));
    await node.settle();
    await node.journaling.stop();
    for (let count = 0; count < 100; count++) node.namespace.add(eventItem("while it was stopped"));
    await node.start();
    node.namespace.add(eventItem("two"));
    await node.settle();
    assert.deepEqual(
      node.journal.batches.map(({ first, items }) => [first, items.map((item) => readEvent(item).parts[0])]),
      [
        [1, ["one"]],
        [2, ["two"]],
      ],
    );
  });

  it("refuses what is too long for it, and gives it what one tick sends in batches that are not", async () => {
    await using node = await new JournalNode().start();
    const send = (text: string): void => node.namespace.add(eventItem(text));
    assert.throws(() => send("x".repeat(16 * 1024 * 1024)), { code: "TOO_LARGE" });
    const text = "x".repeat(400_000);
    for (let count = 0; count < 5; count++) send(text);
    send("x".repeat(2_000_000));
    send("last");
    await node.settle();
    assert.deepEqual(
      node.journal.batches.map(({ first, items }) => [first, items.length]),
      [
        [1, 2],
        [3, 2],
        [5, 1],
        [6, 1],
        [7, 1],
      ],
    );
  });

  it("that cannot be read holds so many batches, and reads what it does not hold", async () => {
    const text = "x".repeat(1000);
    await using node = await new JournalNode(20_000).start();
    node.journal.isAway = true;
    for (let id = 1; id <= 100; id++) {
      const after = { ...node.journal.place, id: id - 1 };
      const item = eventItem(`${id} ${text}`);
      node.journal.keep({ id, item, publisher: "other", seq: id, at: 1 });
      // The first one is lost.
      if (id > 1)
        node.journal.deliver({ namespace: "/", publisher: "other", first: id, items: [item], after });
    }
    await node.settle();
    assert.equal(node.events.length, 0);
    node.journal.isAway = false;
    node.loop.advance(1000);
    await node.settle();
    assert.deepEqual(
      node.events.map((event) => event.split(" ")[0]),
      Array.from({ length: 100 }, (_, index) => String(index + 1)),
    );
    // The oldest ones were dropped.
    const [after, until] = node.journal.reads[0]!;
    assert.deepEqual([after, until > 50 && until < 99], [0, true]);
  });

  it("remembers no namespaces that were closed, and goes on above their numbers when one is opened again", async () => {
    await using node = await new JournalNode().start();
    node.journaling.settings = () => ({ maxDisconnectionDuration: 60_000, blindTime: 0 });
    const waiting = new SessionStates("/a", "home", new Map());
    const send = async (name: string, count: number): Promise<void> => {
      const states = name === "/a" ? waiting : new SessionStates(name, "home", new Map());
      const namespace = node.open(name, states);
      for (let sent = 0; sent < count; sent++) namespace.add(eventItem(name));
      await node.settle();
      const closed = node.journaling.close(namespace);
      await node.settle();
      await closed;
    };
    const renew = async (): Promise<void> => {
      node.loop.advance(node.journal.lease / 3);
      await node.settle();
    };
    await send("/a", 3);
    await send("/a", 1);
    for (let count = 0; count < 100; count++) await send(`/${count}`, 1);
    waiting.wait("pid");
    await renew();
    // A state waits for its client.
    assert.equal(node.journaling.closedNamespaces, 1);
    const latest = Math.max(...node.journal.batches.map(({ first, items }) => first + items.length - 1));
    node.journal.batches.length = 0;
    await send("/a", 2);
    await send("/b", 1);
    assert.deepEqual(
      node.journal.batches.map(({ namespace, first, items }) => [
        namespace,
        first > latest,
        ...items.map((item) => item[0]),
      ]),
      [
        ["/a", true, "B", "E", "E"],
        ["/b", true, "B", "E"],
      ],
    );
  });

  it("knows what is missing although another node goes on at a greater number", async () => {
    await using node = await new JournalNode().start();
    const receive = (first: number, ...items: string[]): void =>
      node.namespace.onRelayed({ publisher: "other", first, items, areKept: true });
    receive(1, eventItem("1"));
    receive(100, "B", eventItem("2"));
    assert.deepEqual(node.gaps, []);
    receive(103, eventItem("4"));
    assert.deepEqual([node.gaps, node.events], [[1], ["1", "2", "4"]]);
  });

  it("removes states of closed namespaces that have waited for too long, and keeps those of one that is open again", async () => {
    await using node = await new JournalNode().start();
    // What waits now has waited for too long.
    node.journaling.settings = () => ({ maxDisconnectionDuration: -1, blindTime: 0 });
    const closed = new SessionStates("/a", "home", new Map());
    const namespace = node.open("/a", closed);
    await node.settle();
    for (const pid of ["one", "other"]) closed.wait(pid);
    await node.journaling.close(namespace);
    const socket = {
      id: "s",
      pid: "one",
      rooms: new Set("s"),
      data: {},
      _expiresAt: undefined,
      _gone: false,
    };
    const states = new SessionStates("/a", "home", new Map([["s", socket]]));
    node.open("/a", states);
    await node.settle();
    states.joined("s", "start", 1);
    node.loop.advance(node.journal.lease / 3);
    await node.settle();
    const removed = node.journal.changes.flat().filter(({ state }) => state === undefined);
    assert.deepEqual(
      removed.map(({ pid }) => pid),
      ["other"],
    );
  });

  it("ignores items of a later version that come over a link", async () => {
    await using node = await new JournalNode().start();
    const items = ["Xwhatever", writeEvent(PASSING, target, ["known"])];
    node.namespace.onRelayed({ publisher: "other", first: 1, items, areKept: true });
    assert.deepEqual(node.events, ["known"]);
  });
});
