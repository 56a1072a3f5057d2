import assert from "node:assert/strict";
import { until } from "../../test/support/engine/peers.ts";
import { within } from "../../test/support/waiting/queue.ts";
import { RestartableServer } from "../support/restartable.ts";
import { onEveryClient } from "./setting.ts";

type Answer = (...args: unknown[]) => void;

const retrying = { retries: 5, ackTimeout: 200 };

onEveryClient("retries", {}, (setting) => {
  setting.itWith("retries", "resend an event until it is acknowledged", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server, retrying);
    const seen: unknown[] = [];
    const answered = new Promise<void>((resolve) => {
      socket.on("event", (text: string, answer: Answer) => {
        seen.push(text);
        if (seen.length < 3) return;
        answer();
        resolve();
      });
    });
    client.emit("event", "important");
    await answered;
    assert.deepEqual(seen, ["important", "important", "important"]);
  });

  setting.itWith("retries", "keep the order of events", async () => {
    const server = await setting.start();
    // even a busy machine acknowledges the others in time
    const { client, socket } = await setting.joinFully(server, { ...retrying, ackTimeout: 1_500 });
    const seen: unknown[] = [];
    const last = new Promise<void>((resolve) => {
      socket.on("event", (number: number, answer: Answer) => {
        seen.push(number);
        // acknowledges event 2 at its second attempt
        if (number !== 2 || seen.at(-2) === 2) answer();
        if (number === 4) resolve();
      });
    });
    for (const number of [1, 2, 3, 4]) client.emit("event", number);
    await last;
    assert.deepEqual(seen, [1, 2, 2, 3, 4]);
  });

  setting.itWith("retries", "stop after the configured number", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server, { retries: 1, ackTimeout: 50 });
    let times = 0;
    socket.on("event", () => times++);
    const error = await new Promise<Error | null>((resolve) => client.emit("event", resolve));
    assert.ok(error instanceof Error);
    await until(() => times === 2, "the second attempt");
  });

  setting.itWith("retries", "continue after the server restarts", async () => {
    let hear: (text: string, answer: Answer) => void = () => {};
    const server = await RestartableServer.start(setting.cell.host, {
      server: setting.serverOptions(),
      prepare: (io) =>
        io.on("connection", (socket) => {
          socket.on("event", (text: string, answer: Answer) => hear(text, answer));
        }),
    });
    const { client } = await setting.joinFully(server, {
      ...retrying,
      reconnection: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 60,
    });
    const unanswered = new Promise<void>((resolve) => (hear = () => resolve()));
    client.emit("event", "important");
    await within(unanswered, "the event");
    await server.stop();
    // The client may be back before the server has started as a whole.
    const answered = new Promise<string>((resolve) => {
      hear = (text, answer) => {
        answer();
        resolve(text);
      };
    });
    await server.start();
    assert.equal(await within(answered, "the event, again"), "important");
  });
});
