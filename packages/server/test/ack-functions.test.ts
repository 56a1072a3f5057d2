import assert from "node:assert/strict";
import { mock } from "node:test";
import { closing } from "../../../test/support/waiting/closing.ts";
import { MemoryServer } from "./memory.ts";
import { registerTimedAck, replyOnce, ResponseCollector } from "../src/events/acks.ts";
import type { AckCallback } from "../src/events/acks.ts";
import { Counters } from "../src/stats/counters.ts";

describe("the function a listener answers with", () => {
  it("sends the arguments of the first call, and nothing after it", () => {
    const sent: unknown[] = [];
    const answer = replyOnce({ packet: (packet) => sent.push(packet) }, 7);
    answer(1, "2");
    answer(3);
    assert.deepEqual(sent, [{ type: 3, id: 7, data: [1, "2"] }]);
  });

  it("can be called again if sending failed", () => {
    const sent: unknown[] = [];
    const packet = ({ data }: { data: unknown }): void => {
      if (typeof (data as unknown[])[0] === "bigint") throw new TypeError("cannot be serialised");
      sent.push(data);
    };
    const answer = replyOnce({ packet }, 7);
    assert.throws(() => answer(1n), TypeError);
    answer(2);
    assert.deepEqual(sent, [[2]]);
  });
});

describe("an acknowledgement with a time limit", () => {
  it("passes the answer after null", () => {
    const acks = new Map<number, AckCallback>();
    const heard: unknown[] = [];
    registerTimedAck(
      { acks, server: { _counters: new Counters() } },
      7,
      (...args) => heard.push(args),
      60_000,
    );
    acks.get(7)?.("a", "b");
    assert.deepEqual(heard, [[null, "a", "b"]]);
  });

  it("passes an error when the time is over, and is released", async () => {
    const acks = new Map<number, AckCallback>();
    const _counters = new Counters();
    const error = await new Promise<Error>((resolve) => {
      registerTimedAck({ acks, server: { _counters } }, 7, resolve, 1);
    });
    assert.equal(_counters.acksTimedOut, 1);
    assert.equal(error.message, "operation has timed out");
    assert.equal(acks.size, 0);
  });
});

describe("the responses to a broadcast", () => {
  it("are complete when every server and every client has answered", () => {
    const heard: unknown[] = [];
    const collector = new ResponseCollector((...args) => heard.push(args), undefined);
    collector.addClientCount(1);
    collector.addResponse("a");
    collector.expectServers(2);
    assert.deepEqual(heard, []);
    collector.addClientCount(0);
    assert.deepEqual(heard, [[null, ["a"]]]);
  });

  it("are waited for without limit by a single server, and for a minute in a cluster", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    using _timers = closing(() => mock.timers.reset());
    const heard: [number, string | undefined, unknown[]][] = [];
    for (const servers of [1, 2]) {
      const collector = new ResponseCollector((error, responses) => {
        heard.push([servers, error?.message, responses]);
      }, undefined);
      collector.addClientCount(2);
      collector.addResponse("a");
      collector.expectServers(servers);
    }
    mock.timers.tick(59_999);
    assert.deepEqual(heard, []);
    mock.timers.tick(1);
    assert.deepEqual(heard, [[2, "operation has timed out", ["a"]]]);
  });
});

describe("acks on the wire", () => {
  it("are requested with an id, and answered once", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    const response = poller.get();
    const answer = socket.emitWithAck("q", 1);
    assert.deepEqual(await response, ['420["q",1]']);
    assert.equal(socket.acks.size, 1);
    await poller.post('430["yes"]', '430["again"]');
    assert.equal(await answer, "yes");
    assert.equal(socket.acks.size, 0);
  });

  it("of a broadcast share one id, and leave nothing behind after the timeout", async () => {
    await using server = new MemoryServer();
    const [first, one] = await server.join();
    const [, two] = await server.join();
    const answers = server.io.timeout(5).emitWithAck("q");
    assert.deepEqual([...one.acks.keys()], [...two.acks.keys()]);
    await first.post('430["yes"]');
    await assert.rejects(answers, { message: "operation has timed out", responses: ["yes"] });
    assert.deepEqual([one.acks.size, two.acks.size], [0, 0]);
  });

  it("are sent by ack(id), which a replaced onevent may call", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    socket.onevent = (packet) => socket.ack(packet.id as number)("mine");
    const response = poller.get();
    await poller.post('425["q"]');
    assert.deepEqual(await response, ['435["mine"]']);
  });
});
