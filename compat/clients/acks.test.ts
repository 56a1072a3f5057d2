import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import { isFull } from "../support/cell.ts";
import { onEveryClient } from "./setting.ts";

type Answer = (...args: unknown[]) => void;

/** Short, because nobody answers in these tests. */
const soon = 50;

interface Asker {
  emit(event: string, ...args: never[]): unknown;
}

/** Resolves with the arguments of the acknowledgement. */
function ask(asker: Asker, ...args: unknown[]): Promise<unknown[]> {
  const emit = asker.emit.bind(asker) as (...args: unknown[]) => void;
  return new Promise((resolve) => emit("question", ...args, (...answer: unknown[]) => resolve(answer)));
}

onEveryClient("acknowledgements", { plain: true }, (setting) => {
  it("carry all arguments from the server", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    socket.on("question", (a: number, b: string, answer: Answer) => answer(a + 1, { b }, null));
    assert.deepEqual(await ask(client, 1, "two"), [2, { b: "two" }, null]);
  });

  it("carry all arguments from the client", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    client.on("question", (a: number, b: string, answer: Answer) => answer(a + 1, { b }, null));
    assert.deepEqual(await ask(socket, 1, "two"), [2, { b: "two" }, null]);
  });

  it("match their events in any order", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    for (const [asked, asker] of [
      [socket, client],
      [client, socket],
    ] as const) {
      const waiting: (() => void)[] = [];
      asked.on("question", (number: number, answer: Answer) => {
        waiting.push(() => answer(number));
        // the last question is answered first
        if (waiting.length === 20) for (const reply of waiting.reverse()) reply();
      });
      const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => ask(asker, number)));
      assert.deepEqual(
        answers,
        Array.from({ length: 20 }, (_, number) => [number]),
      );
    }
  });

  it("count once, even if the listener calls back twice", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    socket.on("question", (answer: Answer) => {
      answer("first");
      answer("second");
      socket.emit("after");
    });
    const after = next(client, "after");
    const answers: unknown[] = [];
    client.emit("question", (answer: unknown) => answers.push(answer));
    await after;
    assert.deepEqual(answers, ["first"]);
  });

  it("time out at the server", async () => {
    const server = await setting.start();
    const { socket } = await setting.join(server);
    const error = await new Promise<Error>((resolve) => socket.timeout(soon).emit("question", resolve));
    assert.equal(error.message, "operation has timed out");
  });

  it("resolve emitWithAck() at the server", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    client.on("question", (answer: Answer) => answer("yes"));
    assert.equal(await socket.timeout(10_000).emitWithAck("question"), "yes");
  });

  it("are collected from every client of a broadcast", async () => {
    const server = await setting.start();
    const pairs = [await setting.join(server), await setting.join(server)];
    for (const [index, { client }] of pairs.entries()) {
      client.on("question", (answer: Answer) => answer(index));
    }
    const answers = (await server.io.timeout(10_000).emitWithAck("question")) as number[];
    assert.deepEqual(
      answers.sort((one, other) => one - other),
      [0, 1],
    );
  });

  // runs as long as the timeout, in which the other client must answer even on a busy machine
  const itTakesLong = isFull || setting.mode === "upgrade" ? it : () => {};
  itTakesLong("of a broadcast time out with an error and those that arrived", async () => {
    const server = await setting.start();
    const { client } = await setting.join(server);
    await setting.join(server);
    const answered = new Promise<void>((resolve) => {
      client.on("question", (answer: Answer) => {
        answer("only I");
        resolve();
      });
    });
    const outcome = new Promise<unknown[]>((resolve) => {
      server.io.timeout(1_500).emit("question", (...args: unknown[]) => resolve(args));
    });
    await answered;
    const [error, answers] = await outcome;
    assert.ok(error instanceof Error);
    assert.deepEqual(answers, ["only I"]);
  });

  setting.itWith("timeouts", "time out at the client", async () => {
    const server = await setting.start();
    const { client } = await setting.join(server);
    const error = await new Promise<Error>((resolve) => client.timeout(soon).emit("question", resolve));
    assert.equal(error.message, "operation has timed out");
  });

  setting.itWith("timeouts", "arrive with a null error at a client with a timeout", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    socket.on("question", (answer: Answer) => answer("yes"));
    const outcome = await new Promise((resolve) => {
      client.timeout(10_000).emit("question", (...args: unknown[]) => resolve(args));
    });
    assert.deepEqual(outcome, [null, "yes"]);
  });

  setting.itWith("promises", "resolve emitWithAck() at the client", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    socket.on("question", (name: string, answer: Answer) => answer(`hello, ${name}`));
    assert.equal(await client.emitWithAck("question", "kim"), "hello, kim");
  });

  setting.itWith("promises", "reject emitWithAck() at the client after the timeout", async () => {
    const server = await setting.start();
    const { client } = await setting.join(server);
    await assert.rejects(client.timeout(soon).emitWithAck("question"), /operation has timed out/);
  });
});
