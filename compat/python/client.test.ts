import assert from "node:assert/strict";
import { afterThisTest, suite } from "../support/after-test.ts";
import { collect, next } from "../../test/support/waiting/events.ts";
import { writable } from "../../test/support/server/clients.ts";
import type { Server, ServerOptions, Socket } from "../../test/support/server/socketio.ts";
import { cuttableProxy } from "../../test/support/proxies/tcp.ts";
import { cell, unsupported } from "../support/cell.ts";
import { cellHosts, RestartableServer, type CellHost } from "../support/restartable.ts";
import { describeWithPython, inPython, type Python, type PythonClient } from "./support/python.ts";

const WAYS = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: {},
};
type Way = keyof typeof WAYS;

/** Short delays, which keep the tests fast. */
const SOON = { reconnection_delay: 0.05, reconnection_delay_max: 0.2, randomization_factor: 0 };
const BYTES = Buffer.from([0, 1, 4, 0x1e, 0x7f, 0x80, 0xff]);
const COUNT = 50;

describeWithPython("python3-socketio", (version, python) => {
  for (const transport of ["polling", "websocket", "upgrade"] satisfies Way[]) {
    for (const host of cellHosts) {
      cell({ group: "Other languages", part: "python3-socketio", version, host, transport }, () => {
        suite("messages", () => declareMessages(python, host, transport));
        suite("connecting and disconnecting", () => declareEndings(python, host, transport));
        suite("interruptions", () => declareInterruptions(python, host, transport));
      });
    }
  }
});

function prepare(io: Server): void {
  io.of("/chat");
  io.of("/admin").use((socket, next) => {
    if (socket.handshake.auth["token"] === "right") next();
    else next(Object.assign(new Error("wrong token"), { data: { code: 7 } }));
  });
  io.on("connection", (socket) => {
    socket.on("echo", (...args: unknown[]) => {
      const answer = args.pop() as (...args: unknown[]) => void;
      answer(...args);
    });
  });
}

interface Opened {
  server: RestartableServer;
  client: PythonClient;
  socket: Socket;
}

function start(host: CellHost, server: Partial<ServerOptions> = {}): Promise<RestartableServer> {
  return RestartableServer.start(host, { server, prepare });
}

async function newClient(python: () => Python, options?: object): Promise<PythonClient> {
  const client = await python().client(options);
  afterThisTest(() => client.disconnect());
  return client;
}

function declareMessages(python: () => Python, host: CellHost, way: Way): void {
  async function open(): Promise<Opened> {
    const server = await start(host);
    const client = await newClient(python);
    await client.connect(server.url, WAYS[way]);
    return { server, client, socket: await server.sockets.next() };
  }

  it("sends events in order, and receives each event once", async () => {
    const { client, socket } = await open();
    const counted = Array.from({ length: COUNT }, (_, n) => n);
    const heard = collect(socket, "message", COUNT);
    for (const n of counted) await client.emit("message", [n, { n }]);
    assert.deepEqual(
      await heard,
      counted.map((n) => [n, { n }]),
    );
    const told: unknown[][] = [];
    while (told.length < COUNT) {
      for (const n of counted.splice(0, 10)) socket.emit("message", n, `text ${n} é 😀`);
      while (told.length < COUNT - counted.length) told.push(await client.take("message"));
    }
    assert.deepEqual(
      told.toSorted(([one], [other]) => Number(one) - Number(other)),
      Array.from({ length: COUNT }, (_, n) => [n, `text ${n} é 😀`]),
    );
    const last = way === "polling" ? "polling" : "websocket";
    assert.equal((await client.state()).transport, last);
    assert.equal(socket.conn.transport.name, last);
    assert.equal((await client.state()).sid, socket.id);
  });

  unsupported("receives a burst in order", "this client handles each packet in its own thread");
  if (way === "polling") {
    unsupported(
      "receives more than 16 packets in one response",
      "this client rejects such a payload and disconnects",
    );
  }

  it("exchanges acks both ways", async () => {
    const { client, socket } = await open();
    const args = ["a\u2028b", { nested: [1, null, { x: true }] }, 0];
    assert.deepEqual(await client.ask("echo", args), args);
    assert.deepEqual(await client.ask("echo", []), []);
    const answer = (await socket.timeout(15_000).emitWithAck("ask", { one: [BYTES] })) as unknown;
    assert.deepEqual(answer, { one: [BYTES] });
  });

  it("exchanges nested, empty and large binary", async () => {
    const { client, socket } = await open();
    const large = Buffer.alloc(100_000, BYTES);
    const heard = next(socket, "message");
    await client.emit("message", [{ deep: [inPython(BYTES), inPython(Buffer.alloc(0))] }, inPython(large)]);
    assert.deepEqual(await heard, [{ deep: [BYTES, Buffer.alloc(0)] }, large]);
    socket.emit("message", { deep: [BYTES, Buffer.alloc(0)] }, large);
    assert.deepEqual(await client.take("message"), [
      { deep: [inPython(BYTES), inPython(Buffer.alloc(0))] },
      inPython(large),
    ]);
    assert.deepEqual(await client.ask("echo", [inPython(BYTES)]), [inPython(BYTES)]);
  });

  it("receives broadcasts to its rooms, except those that exclude it", async () => {
    const { server, client, socket } = await open();
    const other = await newClient(python);
    await other.connect(server.url, WAYS[way]);
    const others = await server.sockets.next();
    // from one server, if there are several: then they arrive in order
    const { nsp } = socket;
    await socket.join("one");
    await others.join(["one", "two"]);
    nsp.to("two").emit("message", "two");
    nsp.to("one").except("two").emit("message", "one, not two");
    socket.to("one").emit("message", "from the other");
    nsp.emit("message", "all");
    assert.deepEqual(
      [await client.take("message"), await client.take("message")],
      [["one, not two"], ["all"]],
    );
    const heard = [await other.take("message"), await other.take("message"), await other.take("message")];
    assert.deepEqual(heard, [["two"], ["from the other"], ["all"]]);
  });
}

function declareEndings(python: () => Python, host: CellHost, way: Way): void {
  it("joins several namespaces over one connection, with credentials", async () => {
    const server = await start(host);
    const client = await newClient(python);
    const namespaces = ["/", "/chat", "/admin"];
    const headers = { "X-Tide": "high" };
    await client.connect(server.url, { ...WAYS[way], namespaces, auth: { token: "right" }, headers });
    for (const namespace of namespaces) {
      const [socket] = [...server.io.of(namespace).sockets.values()];
      assert.equal((await client.state(namespace)).sid, socket?.id);
      assert.deepEqual(socket?.handshake.auth, { token: "right" });
      assert.equal(socket?.handshake.headers["x-tide"], "high");
      socket?.emit("message", namespace);
      assert.deepEqual(await client.take("message", namespace), [namespace]);
    }
    const [first, ...others] = namespaces.map((name) => [...server.io.of(name).sockets.values()][0]!.client);
    for (const other of others) assert.equal(other, first);
  });

  it("gets the error of a namespace that refuses it", async () => {
    const server = await start(host);
    const client = await newClient(python);
    const options = { ...WAYS[way], namespaces: ["/admin"], auth: { token: "wrong" }, wait: false };
    await client.connect(server.url, options);
    assert.deepEqual(await client.take("connect_error", "/admin"), [
      { message: "wrong token", data: { code: 7 } },
    ]);
  });

  it("gets connect_error if allowRequest refuses", async () => {
    const server = await start(host, { allowRequest: (_, decide) => decide("closed today", false) });
    const client = await newClient(python);
    const { refused } = await client.connect(server.url, WAYS[way]);
    assert.ok(refused);
    await client.take("connect_error");
    assert.equal(server.sockets.pending.length, 0);
  });

  it("notifies the server when it disconnects", async () => {
    const server = await start(host);
    const client = await newClient(python);
    await client.connect(server.url, WAYS[way]);
    const gone = next(await server.sockets.next(), "disconnect");
    await client.disconnect();
    // it closes the connection while another of its threads sends the packet
    assert.match(String((await gone)[0]), /^(client namespace disconnect|transport close)$/);
    await client.take("disconnect");
  });

  for (const close of [false, true]) {
    it(`gets disconnect when the server calls disconnect(${close})`, async () => {
      const server = await start(host);
      const client = await newClient(python);
      await client.connect(server.url, WAYS[way]);
      const socket = await server.sockets.next();
      const gone = next(socket, "disconnect");
      socket.disconnect(close);
      assert.equal((await gone)[0], "server namespace disconnect");
      await client.take("disconnect");
      assert.equal((await client.state()).connected, false);
    });
  }
}

function declareInterruptions(python: () => Python, host: CellHost, way: Way): void {
  /** Connects a client that reconnects by itself; `reset` breaks its connection. */
  async function open(options?: Partial<ServerOptions>): Promise<Opened & { reset: () => Promise<void> }> {
    const server = await start(host, options);
    const proxy = await cuttableProxy(server.port);
    afterThisTest(() => proxy.close());
    const client = await newClient(python, SOON);
    await client.connect(`http://127.0.0.1:${proxy.port}`, WAYS[way]);
    await client.take("connect");
    await client.ask("echo", ["settled"]);
    const socket = await server.sockets.next();
    return {
      server,
      client,
      socket,
      async reset() {
        // the server notices a broken long-polling connection only while a poll is pending
        await writable(socket);
        const gone = next(socket, "disconnect");
        proxy.reset();
        assert.match(String((await gone)[0]), /^transport (close|error)$/);
      },
    };
  }

  async function assertBack({ server, client }: Opened): Promise<void> {
    await client.take("disconnect");
    await client.take("connect");
    const socket = await server.sockets.next();
    assert.equal((await client.state()).sid, socket.id);
    assert.deepEqual(await client.ask("echo", ["again"]), ["again"]);
    socket.emit("message", "again");
    assert.deepEqual(await client.take("message"), ["again"]);
  }

  it("reconnects after a TCP reset", async () => {
    const opened = await open();
    await opened.reset();
    await assertBack(opened);
  });

  it("reconnects after the server dies and restarts", async () => {
    const opened = await open();
    await opened.reset();
    await opened.server.stop();
    await opened.client.take("connect_error");
    await opened.server.start();
    await assertBack(opened);
  });

  if (way === "polling") {
    const inOrder = "this client does not reconnect after an orderly close";
    unsupported("reconnects after the server closes in order and restarts", inOrder);
  }

  const timesOut = "times out while its process is frozen";
  const pings = { pingInterval: 200, pingTimeout: 2_000 };

  /** Freezes the client until the server detects a ping timeout. */
  async function freeze({ server, socket }: Opened): Promise<void> {
    const gone = next(socket, "disconnect");
    python().freeze();
    const { opts } = server.io.engine;
    // Too short for a client on a busy machine that is not frozen.
    opts.pingTimeout = 300;
    try {
      assert.equal((await gone)[0], "ping timeout");
    } finally {
      opts.pingTimeout = pings.pingTimeout;
      python().thaw();
    }
  }

  if (way === "polling") {
    it(timesOut, async () => freeze(await open(pings)));
    unsupported(`${timesOut}, and reconnects`, "this client does not report a refused POST");
  } else {
    it(`${timesOut}, and reconnects`, async () => {
      const opened = await open(pings);
      await freeze(opened);
      await assertBack(opened);
    });
  }
}
