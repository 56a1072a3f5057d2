import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server, Socket } from "@tidewire/server";
import { testServer } from "@tidewire/testing";

describe("testServer", () => {
  it("connects the official client, which gets an answer", async () => {
    await using server = await testServer((io) => {
      io.on("connection", (socket) => {
        socket.on("echo", (text: string, answer: (text: string) => void) => answer(text));
      });
    });
    const client = await server.connect();
    assert.equal(await client.emitWithAck("echo", "hello"), "hello");
  });

  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]] as const) {
    it(`sends text and binary both ways over ${transports.join(", then ")}`, async () => {
      await using server = await testServer((io) => {
        io.on("connection", (socket) => {
          socket.on("echo", (...args: unknown[]) => socket.emit("echo", ...args));
        });
      });
      const client = await server.connect("/", { transports: [...transports] });
      const answered = new Promise<unknown[]>((resolve) => client.once("echo", (...args) => resolve(args)));
      client.emit("echo", "one", Uint8Array.of(1, 2, 3), { two: Buffer.from("2") });
      assert.deepEqual(await answered, ["one", Buffer.of(1, 2, 3), { two: Buffer.from("2") }]);
      await server.settled();
      assert.equal(client.io.engine.transport.name, transports.at(-1));
    });
  }

  it("passes auth, query and headers, and joins the namespace that is asked for", async () => {
    await using server = await testServer((io) => {
      io.of("/admin").on("connection", ({ handshake }) => {
        const { auth, query, headers } = handshake;
        io.of("/admin").emit("seen", auth, query["room"], headers["x-request-id"]);
      });
    });
    const client = server.client("/admin", {
      auth: { token: "secret" },
      query: { room: "blue" },
      extraHeaders: { "X-Request-Id": "7" },
    });
    const seen = new Promise<unknown[]>((resolve) => client.once("seen", (...args) => resolve(args)));
    client.connect();
    assert.deepEqual(await seen, [{ token: "secret" }, "blue", "7"]);
  });

  it("rejects a client that a middleware refuses, with the error of connect_error", async () => {
    await using server = await testServer((io) => {
      io.use((_socket, next) => next(Object.assign(new Error("not you"), { data: { code: 7 } })));
    });
    await assert.rejects(server.connect(), { message: "not you", data: { code: 7 } });
  });

  it("rejects a client that allowRequest refuses", async () => {
    await using server = await testServer(() => {}, {
      allowRequest: (_request, decide) => decide("no", false),
    });
    for (const transport of ["polling", "websocket"] as const) {
      await assert.rejects(server.connect("/", { transports: [transport] }), { type: "TransportError" });
    }
  });

  it("lets nothing that was sent be still under way after settled()", async () => {
    const received: string[] = [];
    await using server = await testServer((io) => {
      io.on("connection", (socket) => {
        socket.on("say", (text: string) => socket.broadcast.emit("said", text));
      });
    });
    const [first, second] = [await server.connect(), await server.connect()];
    first.on("said", (text: string) => received.push(`first: ${text}`));
    second.on("said", (text: string) => received.push(`second: ${text}`));
    first.emit("say", "hello");
    assert.deepEqual(received, []);
    await server.settled();
    assert.deepEqual(received, ["second: hello"]);
  });

  it("cuts a connection as a broken network does", async () => {
    let reason: string | undefined;
    await using server = await testServer((io) => {
      io.on("connection", (socket) => socket.on("disconnect", (why) => (reason = why)));
    });
    const client = await server.connect();
    const disconnected = once(client as never, "disconnect");
    await server.cut(client);
    assert.equal(reason, "transport close");
    assert.equal((await disconnected)[0], "transport close");
  });

  it("throws what the application throws while it is set up, and closes", async () => {
    let io: Server | undefined;
    const started = testServer((given) => {
      io = given;
      throw new Error("no database");
    });
    await assert.rejects(started, { message: "no database" });
    assert.equal(io?.engine.clientsCount, 0);
  });

  it("disconnects the clients when it closes", async () => {
    const server = await testServer(() => {});
    const client = await server.connect();
    await server.close();
    assert.equal(client.connected, false);
    await server.close();
  });
});

describe("the clock of a test server", () => {
  it("throws without the option", async () => {
    await using server = await testServer(() => {});
    assert.throws(() => server.clock, /clock: "manual"/);
  });

  it("moves timers of the application", async () => {
    const ticks: number[] = [];
    await using server = await testServer(
      (io) => {
        const start = Date.now();
        io.on("connection", (socket) => {
          setInterval(() => socket.emit("tick", Date.now() - start), 1000);
        });
      },
      { clock: "manual" },
    );
    const client = await server.connect();
    client.on("tick", (at: number) => ticks.push(at));
    await server.clock.advance(3500);
    assert.deepEqual(ticks, [1000, 2000, 3000]);
  });

  it("keeps a client connected over hours of heartbeats, on either transport", async () => {
    for (const transport of ["polling", "websocket"] as const) {
      await using server = await testServer(() => {}, { clock: "manual" });
      const client = await server.connect("/", { transports: [transport] });
      let pings = 0;
      client.io.on("ping", () => pings++);
      await server.clock.advance(60 * 60 * 1000);
      assert.equal(client.connected, true);
      assert.equal(pings, 144);
    }
  });

  it("lets a client that is silent for 45 s time out", async () => {
    let reason: string | undefined;
    let socket: Socket | undefined;
    await using server = await testServer(
      (io) => {
        io.on("connection", (connected) => {
          socket = connected;
          connected.on("disconnect", (why) => (reason = why));
        });
      },
      { clock: "manual" },
    );
    const client = await server.connect();
    // It answers no ping.
    client.io.engine.transport.send = () => {};
    await server.clock.advance(44_999);
    assert.equal(socket?.connected, true);
    await server.clock.advance(1);
    assert.equal(reason, "ping timeout");
  });

  it("moves the timeouts of acknowledgements, of either side", async () => {
    let socket: Socket | undefined;
    await using server = await testServer(
      (io) => {
        io.on("connection", (connected) => (socket = connected));
      },
      { clock: "manual" },
    );
    const client = await server.connect();
    const outcomes: string[] = [];
    client
      .timeout(5000)
      .emit("nobody answers", (error: Error | null) => outcomes.push(`client: ${error?.message}`));
    socket
      ?.timeout(5000)
      .emit("nobody answers", (error: Error | null) => outcomes.push(`server: ${error?.message}`));
    await server.clock.advance(4999);
    assert.deepEqual(outcomes, []);
    await server.clock.advance(1);
    assert.deepEqual(
      new Set(outcomes),
      new Set(["client: operation has timed out", "server: operation has timed out"]),
    );
  });

  it("disconnects a client that joins no namespace, after connectTimeout", async () => {
    await using server = await testServer(() => {}, { clock: "manual", connectTimeout: 10_000 });
    const client = server.client();
    client.io.open();
    await server.settled();
    assert.equal(server.io.engine.clientsCount, 1);
    await server.clock.advance(9_999);
    assert.equal(server.io.engine.clientsCount, 1);
    await server.clock.advance(1);
    assert.equal(server.io.engine.clientsCount, 0);
  });

  it("moves the delays after which a client reconnects", async () => {
    await using server = await testServer(() => {}, { clock: "manual" });
    const client = await server.connect("/", {
      reconnection: true,
      reconnectionDelay: 1000,
      randomizationFactor: 0,
    });
    await server.cut(client);
    assert.equal(client.connected, false);
    await server.clock.advance(999);
    assert.equal(client.connected, false);
    await server.clock.advance(1);
    assert.equal(client.connected, true);
  });

  it("gives the process its time back when the options are invalid", async () => {
    const { setTimeout: own } = globalThis;
    await assert.rejects(
      testServer(() => {}, { clock: "manual", pingInterval: "often" as never }),
      {
        code: "INVALID_OPTION",
      },
    );
    assert.equal(globalThis.setTimeout, own);
  });

  it("gives the process its time back", async () => {
    const real = setTimeout;
    const server = await testServer(() => {}, { clock: "manual" });
    assert.notEqual(setTimeout, real);
    await server.close();
    assert.equal(setTimeout, real);
  });
});
