import assert from "node:assert/strict";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { rawPair } from "../support/server/wires.ts";
import { internals } from "../support/server/internals.ts";

type Ack = (...args: unknown[]) => void;

onEveryHost("acks", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("calls the client's callback", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      socket.on("sum", (a: number, b: number, ack: Ack) => ack(a + b, { a, b }, null));
      const answer = await new Promise((resolve) =>
        client.emit("sum", 1, 2, (...args: unknown[]) => resolve(args)),
      );
      assert.deepEqual(answer, [3, { a: 1, b: 2 }, null]);
    });

    it("calls the server's callback", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      client.on("sum", (a: number, b: number, ack: Ack) => ack(a + b, [a, b]));
      const answer = await new Promise((resolve) =>
        socket.emit("sum", 1, 2, (...args: unknown[]) => resolve(args)),
      );
      assert.deepEqual(answer, [3, [1, 2]]);
    });

    it("resolves emitWithAck on both sides", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      socket.on("up", (value: string, ack: Ack) => ack(`${value}!`));
      client.on("down", (value: string, ack: Ack) => ack(`${value}?`));
      assert.equal(await client.emitWithAck("up", "a"), "a!");
      assert.equal(await socket.emitWithAck("down", "b"), "b?");
    });

    it("matches 200 pending acks that are answered in reverse", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running, mode);
      const waiting: [number, Ack][] = [];
      client.on("n", (index: number, ack: Ack) => {
        waiting.push([index, ack]);
        if (waiting.length === 200) for (const [n, answer] of waiting.toReversed()) answer(n * 2);
      });
      const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => socket.emitWithAck("n", n)));
      assert.deepEqual(
        answers,
        Array.from({ length: 200 }, (_, n) => n * 2),
      );
      assert.equal(internals(socket).acks.size, 0);
    });
  });

  it("passes null to the callback when the answer is in time", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    client.on("q", (ack: Ack) => ack("a"));
    const args = await new Promise((resolve) =>
      socket.timeout(5_000).emit("q", (...got: unknown[]) => resolve(got)),
    );
    assert.deepEqual(args, [null, "a"]);
    assert.equal(await socket.timeout(5_000).emitWithAck("q"), "a");
  });

  it("calls back with operation has timed out", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    const error = await new Promise((resolve) => socket.timeout(20).emit("unheard", resolve));
    assert.ok(error instanceof Error);
    assert.equal(error.message, "operation has timed out");
    assert.equal(internals(socket).acks.size, 0);
  });

  it("rejects emitWithAck with operation has timed out", async () => {
    await using running = await host.start();
    const { socket } = await pair(running);
    await assert.rejects(socket.timeout(20).emitWithAck("unheard"), { message: "operation has timed out" });
  });

  it("calls back once when the answer comes after the timeout", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    let answer: Ack = () => {};
    client.on("q", (ack: Ack) => (answer = ack));
    const calls: unknown[][] = [];
    await new Promise<void>((resolve) => {
      socket.timeout(20).emit("q", (...args: unknown[]) => {
        calls.push(args);
        resolve();
      });
    });
    answer("late");
    await settled(client, socket);
    assert.equal(calls.length, 1);
  });

  it("applies the timeout to one emit only", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    client.on("q", (ack: Ack) => ack("a"));
    await assert.rejects(socket.timeout(20).emitWithAck("unheard"));
    assert.equal(await socket.emitWithAck("q"), "a");
  });

  it("sends an ack once, however often the listener calls it", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    socket.on("q", (ack: Ack) => {
      ack(1);
      ack(2);
      socket.emit("done");
    });
    wire.sendText('427["q"]');
    assert.deepEqual(await wire.take(2), ["437[1]", '42["done"]']);
  });

  it("puts the id of the ack on the wire, counted per namespace", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    socket.emit("a", () => {});
    socket.emit("b", 1, () => {});
    assert.deepEqual(await wire.take(2), ['420["a"]', '421["b",1]']);
  });

  it("ignores an unknown ack, and a repeated one", async () => {
    await using running = await host.start();
    const { wire, socket } = await rawPair(running);
    let calls = 0;
    socket.emit("a", () => calls++);
    await wire.next();
    wire.sendTogether("4399[]", '430["x"]', '430["x"]', '42["end"]');
    await next(socket, "end");
    assert.equal(calls, 1);
  });

  it("calls back with the socket as this, in time or not; a broadcast with its operator", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    client.on("q", (ack: Ack) => ack());
    const called = (emit: (ack: (this: unknown) => void) => void): Promise<unknown> =>
      new Promise((resolve) =>
        emit(function () {
          resolve(this);
        }),
      );
    assert.equal(await called((ack) => socket.emit("q", ack)), socket);
    assert.equal(await called((ack) => socket.timeout(5_000).emit("q", ack)), socket);
    assert.equal(await called((ack) => socket.timeout(20).emit("unheard", ack)), socket);
    for (const operator of [running.io.timeout(5_000), running.io.to("nobody").timeout(20)]) {
      assert.equal(await called((ack) => operator.emit("q", ack)), operator);
    }
  });

  it("acks with binary both ways", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running);
    socket.on("up", (data: Buffer, ack: Ack) => ack({ back: Buffer.from(data.toReversed()) }));
    client.on("down", (data: Buffer, ack: Ack) => ack([Buffer.from(data.toReversed())]));
    assert.deepEqual(await client.emitWithAck("up", Buffer.from([1, 2, 3])), {
      back: Buffer.from([3, 2, 1]),
    });
    assert.deepEqual(await socket.emitWithAck("down", Buffer.from([1, 2, 3])), [Buffer.from([3, 2, 1])]);
  });

  it("answers an ack in a namespace", async () => {
    await using running = await host.start();
    const { client, socket } = await pair(running, {}, "/chat");
    socket.on("q", (ack: Ack) => ack("from chat"));
    assert.equal(await client.emitWithAck("q"), "from chat");
  });

  describe("of broadcasts", () => {
    it("collects all answers", async () => {
      await using running = await host.start();
      for (const name of ["a", "b", "c"]) {
        const { client } = await pair(running);
        client.on("who", (ack: Ack) => ack(name));
      }
      const answers = (await running.io.timeout(5_000).emitWithAck("who")) as string[];
      assert.deepEqual(answers.toSorted(), ["a", "b", "c"]);
    });

    it("returns an empty list when there are no clients", async () => {
      await using running = await host.start();
      assert.deepEqual(await running.io.to("empty").timeout(5_000).emitWithAck("who"), []);
    });

    it("reports the timeout together with the answers so far", async () => {
      await using running = await host.start();
      const { client } = await pair(running);
      const { socket: silent } = await pair(running);
      client.on("who", (ack: Ack) => ack("a"));
      const error = await running.io
        .timeout(600)
        .emitWithAck("who")
        .catch((caught: unknown) => caught);
      assert.ok(error instanceof Error);
      assert.equal(error.message, "operation has timed out");
      assert.deepEqual((error as Error & { responses: unknown }).responses, ["a"]);
      assert.equal(internals(silent).acks.size, 0);
    });

    it("calls back with the answers of a room", async () => {
      await using running = await host.start();
      const { client, socket } = await pair(running);
      await pair(running);
      await socket.join("room");
      client.on("who", (ack: Ack) => ack("in the room"));
      const args = await new Promise((resolve) => {
        running.io
          .to("room")
          .timeout(5_000)
          .emit("who", (...got: unknown[]) => resolve(got));
      });
      assert.deepEqual(args, [null, ["in the room"]]);
    });

    it("offers io.emitWithAck() and nsp.emitWithAck()", async () => {
      await using running = await host.start();
      type WithAck = { emitWithAck(event: string): Promise<unknown> };
      assert.deepEqual(await (running.io.of("/x") as unknown as WithAck).emitWithAck("who"), []);
      assert.deepEqual(await (running.io as unknown as WithAck).emitWithAck("who"), []);
    });
  });
});
