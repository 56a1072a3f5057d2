// What another node sends against the protocol breaks its link, and nothing that waits for an answer is left without one.
import assert from "node:assert/strict";
import type { MemoryResponse, MemoryUpgradeError } from "@tidewire/engine";
import { next } from "../../../test/support/waiting/events.ts";
import { Cast } from "../src/broadcasting/kinds.ts";
import { writeTarget } from "../src/broadcasting/wire.ts";
import type { LinkError } from "../src/errors.ts";
import { readEvent } from "../src/journal/items.ts";
import { Kind } from "../src/link/kinds.ts";
import type { LinkStream, StreamHandlers } from "../src/link/link.ts";
import { joinInMemory } from "../src/link/memory-link.ts";
import { PayloadWriter } from "../src/link/writer.ts";
import { Members } from "../src/members.ts";
import { TestNodes } from "./broadcasting/nodes.ts";
import { MemoryNodes } from "./memory-nodes.ts";

const ignored: StreamHandlers = { onMessage() {}, onEnd() {} };

/** A front, and an owner that answers as the test says. */
class Front extends MemoryNodes {
  readonly owner: Members = new Members(this.loop, { id: "AAAA" });
  readonly left: string[] = [];

  constructor(answer: (stream: LinkStream) => void) {
    super(["BBBB"], { binding: { bind: "early" } });
    const [{ members }] = this.nodes as [(typeof this.nodes)[0]];
    const onStream = (_link: unknown, stream: LinkStream): StreamHandlers => {
      answer(stream);
      return ignored;
    };
    this.owner.handle(Kind.REQUEST, { onStream });
    this.owner.handle(Kind.UPGRADE, { onStream });
    joinInMemory(this.loop, this.owner, members);
    members.on("leave", (_id, error) => this.left.push(error.message));
    this.loop.advance(0);
  }

  get #host() {
    return this.nodes[0]!.host;
  }

  poll(): Promise<MemoryResponse> {
    return this.done(this.#host.request({ url: "/engine.io/?EIO=4&transport=polling&sid=AAAAsession" }));
  }

  async upgrade(): Promise<MemoryUpgradeError> {
    const url = "/engine.io/?EIO=4&transport=websocket&sid=AAAAsession";
    return (await this.settled(this.#host.connect({ url }).catch((error) => error))) as MemoryUpgradeError;
  }
}

const writer = new PayloadWriter();

/** An answer whose headers are cut off. */
const cut = (): Buffer => writer.begin().u8(1).u32(200).text("").u32(9).end();

/** An answer with a status that HTTP does not have. */
const noStatus = (): Buffer => writer.begin().u8(0).u32(7).text("odd").texts([]).end();

describe("cluster: a malformed answer", () => {
  for (const [name, answer] of [
    ["to a request, without its head", (stream) => stream.finish(Kind.RESPONSE, [cut()])],
    ["to a request, with a status that is none", (stream) => stream.finish(Kind.RESPONSE, [noStatus()])],
    ["to a request, empty", (stream) => stream.finish(Kind.RESPONSE, [])],
    ["to a request, usual and cut off", (stream) => stream.finish(Kind.USUAL_RESPONSE, [Buffer.of(1, 0, 0)])],
  ] as [string, (stream: LinkStream) => void][]) {
    it(`${name}: the link breaks, and the client gets 400`, async () => {
      const front = new Front(answer);
      const { status, body } = await front.poll();
      assert.deepEqual(
        [status, JSON.parse(body.toString())],
        [400, { code: 1, message: "Session ID unknown" }],
      );
      assert.match(front.left.join(), /malformed/);
    });
  }

  for (const [name, answer] of [
    ["to an upgrade, with cut headers", (stream) => stream.send(Kind.ACCEPT, [Buffer.of(0, 0, 0, 1)])],
    ["to an upgrade, a refusal without its head", (stream) => stream.finish(Kind.REJECT, [cut()])],
    ["to an upgrade, a refusal whose status is none", (stream) => stream.finish(Kind.REJECT, [noStatus()])],
  ] as [string, (stream: LinkStream) => void][]) {
    it(`${name}: the link breaks, and the client gets 400`, async () => {
      const front = new Front(answer);
      assert.equal((await front.upgrade()).response.status, 400);
      assert.match(front.left.join(), /malformed/);
    });
  }
});

describe("cluster: a malformed message of broadcasting", () => {
  for (const [name, values] of [
    ["that are cut off", '3["cut'],
    ["that are no list", '0{"not":"a list"}'],
    ["of which attachments are missing", '61-[{"_placeholder":true,"num":0}]'],
    ["that are no packet", "hello"],
  ] as const) {
    it(`with values ${name} breaks the link`, async () => {
      await using cluster = await TestNodes.start(2);
      const [sender, receiver] = cluster.members as [Members, Members];
      const left = next<[string, LinkError]>(receiver, "leave");
      const cast = writer.begin().u32(1).f64(1).u8(Cast.SERVER_SIDE_EMIT).text("/").u8(0).end();
      sender.link(receiver.self)!.send(Kind.CAST, [cast, values]);
      const [, { code }] = await left;
      assert.equal(code, "MALFORMED");
    });
  }
});

describe("cluster: a malformed packet", () => {
  it("that asks for answers breaks the link", async () => {
    await using cluster = await TestNodes.start(2);
    const [sender, receiver] = cluster.members as [Members, Members];
    const left = next<[string, LinkError]>(receiver, "leave");
    writer.begin().u32(1).f64(1).u8(Cast.BROADCAST_WITH_ACK).text("/").u32(7).f64(1000);
    writeTarget(writer, { rooms: new Set(), except: new Set() });
    sender.link(receiver.self)!.send(Kind.CAST, [writer.u8(0).end(), '21["cut']);
    const [, { code }] = await left;
    assert.equal(code, "MALFORMED");
  });
});

describe("an item of the journal", () => {
  for (const item of ["E", "E\n", "Enull\n2[]", "E[1]\n2[]", "E[[],[],0,0,7]\n", 'E[["room"],{},0,0]\n2[]']) {
    it(`that is none is malformed: ${JSON.stringify(item)}`, () => {
      assert.throws(() => readEvent(item), { code: "MALFORMED" });
    });
  }
});
