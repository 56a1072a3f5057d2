import assert from "node:assert/strict";
import { defineContract } from "@tidewire/contract";
import type { ClientEmitEvents, ClientListenEvents } from "@tidewire/contract";
import { Server } from "@tidewire/server";
import { testServer } from "@tidewire/testing";
import { type } from "arktype";
import { expectTypeOf } from "expect-type";
import type { Socket as ClientSocket } from "socket.io-client";
import * as v from "valibot";
import { z } from "zod";

const order = z.object({ item: z.string(), count: z.number().int().positive() });

const contract = defineContract({
  clientToServer: {
    message: [z.string().max(5)],
    birthday: [z.string().transform((text) => new Date(text))],
    "order:create": { args: [order], ack: z.object({ id: z.string() }) },
    later: [z.string().refine((text) => Promise.resolve(text !== "wrong"))],
    nothing: [],
  },
  serverToClient: {
    message: [z.string()],
    question: { args: [z.number()], ack: z.string() },
  },
  serverToServer: { reload: [z.string()] },
  data: z.object({ user: z.string() }),
});

type Client = ClientSocket<ClientListenEvents<typeof contract>, ClientEmitEvents<typeof contract>>;

describe("a contract", () => {
  it("gives the server its types", () => {
    const check = (): void => {
      const io = new Server({ contract });
      io.on("connection", (socket) => {
        socket.on("message", (text) => expectTypeOf(text).toBeString());
        socket.on("birthday", (date) => expectTypeOf(date).toEqualTypeOf<Date>());
        socket.on("order:create", ({ item, count }, answer) => {
          expectTypeOf(item).toBeString();
          expectTypeOf(count).toBeNumber();
          answer({ id: "7" });
          // @ts-expect-error -- an id is a string
          answer({ id: 7 });
        });
        // @ts-expect-error -- there is no such event
        socket.on("unknown", () => {});
        socket.emit("message", "text");
        // @ts-expect-error -- it is a string
        socket.emit("message", 7);
        expectTypeOf(socket.data.user).toBeString();
        socket.emit("question", 1, (answer) => expectTypeOf(answer).toBeString());
      });
      io.serverSideEmit("reload", "now");
      const withPort = new Server(3000, { contract, pingInterval: 1000 });
      expectTypeOf(withPort).toEqualTypeOf(io);
    };
    assert.equal(typeof check, "function");
  });

  it("gives the client its types", () => {
    const check = (client: Client): void => {
      client.on("message", (text) => expectTypeOf(text).toBeString());
      client.emit("birthday", "2000-01-01");
      // @ts-expect-error -- what is sent is the text
      client.emit("birthday", new Date());
      client.emit("order:create", { item: "tea", count: 1 }, ({ id }) => expectTypeOf(id).toBeString());
      client.on("question", (number, answer) => {
        expectTypeOf(number).toBeNumber();
        answer("yes");
      });
    };
    assert.equal(typeof check, "function");
  });

  it("leaves a server without one as it was", () => {
    const check = (): void => {
      expectTypeOf(new Server()).toEqualTypeOf<Server>();
      new Server().on("connection", (socket) =>
        socket.on("anything", (...args) => expectTypeOf(args[0]).toBeAny()),
      );
    };
    assert.equal(typeof check, "function");
  });
});

describe("an event of a client", () => {
  it("reaches its listener as the schema returns it", async () => {
    const received: unknown[] = [];
    await using server = await testServer(
      (io: Server) => {
        io.on("connection", (socket) => {
          socket.onAny((...args: unknown[]) => received.push(args));
          socket.on("birthday", (date: unknown) => received.push(date));
        });
      },
      { contract },
    );
    const client = await server.connect();
    client.emit("birthday", "2000-01-01");
    await server.settled();
    const date = new Date("2000-01-01");
    assert.deepEqual(received, [["birthday", date], date]);
  });

  it("is answered with what is wrong, and reaches no listener", async () => {
    const received: unknown[] = [];
    const reports: unknown[] = [];
    await using server = await testServer(
      (io: Server) => {
        io.on("invalid_event", ({ event, issues, socket }) =>
          reports.push([event, issues.length, socket?.id]),
        );
        io.on("connection", (socket) => {
          socket.onAny((...args: unknown[]) => received.push(args));
          socket.use((event, next) => {
            received.push(event);
            next();
          });
        });
      },
      { contract },
    );
    const client = await server.connect();
    const answer = await client.emitWithAck("order:create", { item: 7, count: -1 });
    assert.deepEqual(answer, {
      error: {
        code: "INVALID_EVENT",
        message: "The event does not match the contract",
        issues: [
          { message: "Invalid input: expected string, received number", path: [0, "item"] },
          { message: "Too small: expected number to be >0", path: [0, "count"] },
        ],
      },
    });
    assert.deepEqual(received, []);
    assert.deepEqual(reports, [["order:create", 2, client.id]]);
  });

  const invalid: Record<string, { sent: [string, ...unknown[]]; issues: unknown[] }> = {
    "with a value that does not match": {
      sent: ["message", "too long"],
      issues: [{ message: "Too big: expected string to have <=5 characters", path: [0] }],
    },
    "without its argument": {
      sent: ["message"],
      issues: [{ message: "Invalid input: expected string, received undefined", path: [0] }],
    },
    "with too many arguments": {
      sent: ["nothing", 1],
      issues: [{ message: "Expected 0 arguments, got 1", path: [] }],
    },
    "that the contract does not have": {
      sent: ["admin"],
      issues: [{ message: "There is no such event", path: [] }],
    },
    "with the name of a member of every object": {
      sent: ["constructor"],
      issues: [{ message: "There is no such event", path: [] }],
    },
  };
  for (const [what, { sent, issues }] of Object.entries(invalid)) {
    it(`comes back as "invalid" ${what}`, async () => {
      await using server = await testServer(() => {}, { contract });
      const client = await server.connect();
      const reported = new Promise((resolve) => client.once("invalid", resolve));
      client.emit(...sent);
      assert.deepEqual(await reported, { event: sent[0], issues });
    });
  }

  it("is refused if it asks for an answer that the contract does not have", async () => {
    await using server = await testServer(() => {}, { contract });
    const client = await server.connect();
    const { error } = (await client.emitWithAck("message", "hi")) as { error: { issues: unknown[] } };
    assert.deepEqual(error.issues, [{ message: "This event has no acknowledgement", path: [] }]);
  });

  it("has an answer to call, even if the client does not wait for it", async () => {
    let answered = 0;
    await using server = await testServer(
      (io: Server) => {
        io.on("connection", (socket) => {
          socket.on("order:create", (_order: unknown, answer: (value: unknown) => void) => {
            answer({ id: "1" });
            answered++;
          });
        });
      },
      { contract },
    );
    const client = await server.connect();
    client.emit("order:create", { item: "tea", count: 1 });
    await server.settled();
    assert.equal(answered, 1);
  });

  it("waits behind one whose schema is asynchronous", async () => {
    const received: unknown[] = [];
    await using server = await testServer(
      (io: Server) => {
        io.on("connection", (socket) => socket.onAny((...args: unknown[]) => received.push(args)));
      },
      { contract },
    );
    const client = await server.connect();
    for (const [event, text] of [
      ["later", "a"],
      ["message", "b"],
      ["later", "wrong"],
      ["message", "c"],
    ] as const) {
      client.emit(event, text);
    }
    await server.settled();
    await server.settled();
    assert.deepEqual(received, [
      ["later", "a"],
      ["message", "b"],
      ["message", "c"],
    ]);
  });

  it("waits for the events before, also if its own schema throws", async () => {
    const heard: unknown[] = [];
    let answer!: () => void;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const slow = z.string().refine(() => answered.then(() => true));
    const broken = z.string().refine(() => Promise.reject(new Error("broken")));
    await using server = await testServer(
      (io: Server) => {
        io.onError((error) => heard.push((error as Error).message));
        io.on("connection", (socket) => socket.onAny((event) => heard.push(event)));
      },
      {
        contract: defineContract({
          clientToServer: { slow: [slow], broken: [broken], plain: [] },
          serverToClient: {},
        }),
      },
    );
    const client = await server.connect();
    client.emit("slow", "a");
    client.emit("broken", "b");
    await server.settled();
    client.emit("plain");
    await server.settled();
    assert.deepEqual(heard, []);
    answer();
    while (heard.length < 3) await server.settled();
    assert.deepEqual(heard, ["slow", "broken", "plain"]);
  });

  it("waits for a schema that answers with a promise of another kind", async () => {
    const heard: unknown[] = [];
    const foreign = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) => ({
          // oxlint-disable-next-line unicorn/no-thenable
          then: (done: (result: object) => void) =>
            setImmediate(done, value === "right" ? { value: "checked" } : { issues: [{ message: "no" }] }),
        }),
      },
    } as never;
    await using server = await testServer(
      (io: Server) => {
        io.on("invalid_event", ({ issues }) => heard.push(issues));
        io.on("connection", (socket) => socket.onAny((...args: unknown[]) => heard.push(args)));
      },
      { contract: defineContract({ clientToServer: { asked: [foreign] }, serverToClient: {} }) },
    );
    const client = await server.connect();
    client.emit("asked", "wrong");
    client.emit("asked", "right");
    while (heard.length < 2) await server.settled();
    assert.deepEqual(heard, [[{ message: "no", path: [0] }], ["asked", "checked"]]);
  });

  it("is dropped if its schema has not answered a while after its client has left", async () => {
    const heard: unknown[] = [];
    const never = z.string().refine(() => new Promise<boolean>(() => {}));
    await using server = await testServer(
      (io: Server) => {
        io.on("connection", (socket) => {
          socket.onAny((event) => heard.push(event));
          socket.on("disconnect", (reason) => heard.push(reason));
        });
      },
      {
        clock: "manual",
        contract: defineContract({ clientToServer: { never: [never] }, serverToClient: {} }),
      },
    );
    const client = await server.connect();
    client.emit("never", "a");
    client.disconnect();
    await server.settled();
    await server.clock.advance(4999);
    assert.deepEqual(heard, []);
    await server.clock.advance(100);
    assert.deepEqual(heard, ["client namespace disconnect"]);
  });

  it("is checked by schemas of valibot and arktype, too", async () => {
    const mixed = defineContract({
      clientToServer: { valibot: [v.pipe(v.string(), v.maxLength(3))], arktype: [type({ n: "number > 0" })] },
      serverToClient: {},
    });
    const received: unknown[] = [];
    const refused: unknown[] = [];
    await using server = await testServer(
      (io: Server) => {
        io.on("invalid_event", ({ issues }) => refused.push(issues[0]!.path));
        io.on("connection", (socket) => socket.onAny((...args: unknown[]) => received.push(args)));
      },
      { contract: mixed },
    );
    const client = await server.connect();
    for (const [event, value] of [
      ["valibot", "abc"],
      ["valibot", "abcd"],
      ["arktype", { n: 1 }],
      ["arktype", { n: 0 }],
    ]) {
      client.emit(event as string, value);
    }
    await server.settled();
    assert.deepEqual(received, [
      ["valibot", "abc"],
      ["arktype", { n: 1 }],
    ]);
    assert.deepEqual(refused, [[0], [0, "n"]]);
  });
});

describe("an event of another server", () => {
  it("is checked as well, if the contract has such events", async () => {
    const received: unknown[] = [];
    const refused: unknown[] = [];
    await using server = await testServer(
      (io: Server) => {
        io.on("reload", (what: unknown) => received.push(what));
        io.on("invalid_event", ({ event, socket }) => refused.push([event, socket]));
      },
      { contract },
    );
    const { sockets } = server.io;
    sockets._onServerSideEmit(["reload", "now"]);
    sockets._onServerSideEmit(["reload", 7]);
    sockets._onServerSideEmit(["stop"]);
    assert.deepEqual(received, ["now"]);
    assert.deepEqual(refused, [
      ["reload", undefined],
      ["stop", undefined],
    ]);
  });
});

describe("the option contract", () => {
  it("throws for anything that is not one", () => {
    assert.throws(() => new Server({ contract: {} } as never), { code: "INVALID_OPTION" });
  });
});
