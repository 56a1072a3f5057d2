import assert from "node:assert/strict";
import { mock } from "node:test";
import { once } from "node:events";
import { closing } from "../../../test/support/waiting/closing.ts";
import { MemoryServer } from "./memory.ts";
import { runMiddlewares } from "../src/events/middleware.ts";

describe("middlewares", () => {
  it("run in order, each with the subject", () => {
    const log: string[] = [];
    runMiddlewares(
      [
        (subject, next) => {
          log.push(`1 ${subject}`);
          next();
        },
        (subject, next) => {
          log.push(`2 ${subject}`);
          next();
        },
      ],
      "it",
      (error) => log.push(`done ${error}`),
    );
    assert.deepEqual(log, ["1 it", "2 it", "done undefined"]);
  });

  it("end at the first error", () => {
    const no = new Error("no");
    const heard: unknown[] = [];
    runMiddlewares([(_, next) => next(no), () => assert.fail()], 0, (error) => heard.push(error));
    assert.deepEqual(heard, [no]);
  });

  it("that are added meanwhile do not run", () => {
    const steps = [
      (_: number, next: () => void): void => {
        steps.push(() => assert.fail());
        next();
      },
    ];
    let done = 0;
    runMiddlewares(steps, 0, () => done++);
    assert.equal(done, 1);
  });
});

describe("namespace middlewares", () => {
  it("refuse with message and data, and leave nothing of the socket behind", async () => {
    await using server = new MemoryServer();
    const { sockets: nsp } = server.io;
    server.io.use((socket, next) => {
      void socket.join("room");
      assert.equal(nsp._preConnectSockets.size, 1);
      next(Object.assign(new Error("forbidden"), { data: { code: 7 } }));
    });
    const poller = await server.poll();
    const response = poller.get();
    await poller.post("40");
    assert.deepEqual(await response, ['44{"message":"forbidden","data":{"code":7}}']);
    assert.deepEqual([nsp.sockets.size, nsp._preConnectSockets.size, nsp.adapter.sids.size], [0, 0, 0]);
  });

  it("let no client in that has left meanwhile", async () => {
    await using server = new MemoryServer();
    let proceed = (): void => assert.fail();
    const asked = new Promise<void>((resolve) => {
      server.io.use((_socket, next) => {
        proceed = next;
        resolve();
      });
    });
    server.io.on("connection", () => assert.fail());
    const poller = await server.poll();
    await poller.post("40");
    await asked;
    const closed = once(poller.session, "close");
    poller.session.close(true);
    await closed;
    proceed();
    await new Promise(setImmediate);
    assert.equal(server.io.sockets._preConnectSockets.size, 0);
  });
});

describe("socket middlewares", () => {
  it("see every event, may change it, and may refuse it", async () => {
    await using server = new MemoryServer();
    const [poller, socket] = await server.join();
    const heard: unknown[] = [];
    socket.use((event, next) => {
      if (event[0] === "bad") return next(new Error("not allowed"));
      event[1] = "changed";
      next();
    });
    socket.on("good", (value) => heard.push(value));
    socket.on("bad", () => assert.fail());
    socket.on("error", ({ message }) => heard.push(message));
    await poller.post('42["bad",1]', '42["good",1]');
    assert.deepEqual(heard, ["not allowed", "changed"]);
  });
});

describe("dynamic namespaces", () => {
  it("are created when a client asks, with the listeners and middlewares of the parent", async () => {
    await using server = new MemoryServer();
    const names: string[] = [];
    const parent = server.io.of(/^\/dynamic-\d+$/).use((socket, next) => {
      names.push(socket.nsp.name);
      next();
    });
    server.io.on("new_namespace", (nsp) => names.push(`new ${nsp.name}`));
    const connection = once(
      parent.on("connection", (socket) => socket.emit("hello")),
      "never",
    );
    void connection.catch(() => {});
    const poller = await server.poll();
    await poller.post("40/dynamic-1,");
    const response = await poller.get();
    assert.equal(response.at(-1), '42/dynamic-1,["hello"]');
    assert.deepEqual(names, ["new /dynamic-1", "/dynamic-1"]);
  });

  it("that no function allows are refused", async () => {
    await using server = new MemoryServer();
    server.io.of((_name, _auth, allow) => allow(null, false));
    const poller = await server.poll();
    await poller.post("40/x,");
    assert.deepEqual(await poller.get(), ['44/x,{"message":"Invalid namespace"}']);
  });

  it("are removed with their last socket, if configured, but not while another is joining", async () => {
    await using server = new MemoryServer({ cleanupEmptyChildNamespaces: true });
    const waiting: (() => void)[] = [];
    let arrived = (): void => {};
    server.io.of(/^\/d$/).use((socket, next) => {
      if (socket.handshake.auth["wait"]) waiting.push(next);
      else next();
      arrived();
    });
    const first = await server.poll();
    await first.post("40/d,");
    await first.get();
    const second = await server.poll();
    const here = new Promise<void>((resolve) => (arrived = resolve));
    await second.post('40/d,{"wait":true}');
    await here;
    await first.post("41/d,");
    assert.equal(server.io._nsps.has("/d"), true);
    waiting[0]?.();
    assert.match(String(await second.get()), /^40\/d,/);
    await second.post("41/d,");
    assert.equal(server.io._nsps.has("/d"), false);
  });

  it("are removed, if configured, when the last recoverable session has expired", async () => {
    mock.timers.enable({ apis: ["Date", "setInterval"] });
    using _timers = closing(() => mock.timers.reset());
    await using server = new MemoryServer({
      cleanupEmptyChildNamespaces: true,
      connectionStateRecovery: { maxDisconnectionDuration: 90_000 },
    });
    const closed: string[] = [];
    server.io.of(/^\/d$/);
    const child = server.io.of("/d");
    const { adapter } = child;
    const close = adapter.close.bind(adapter);
    adapter.close = () => {
      closed.push(child.name);
      return close();
    };
    const [, socket] = await server.join("/d");
    socket.conn.close(true);
    assert.deepEqual([socket.connected, server.io._nsps.has("/d")], [false, true]);
    mock.timers.tick(60_000);
    assert.deepEqual([server.io._nsps.has("/d"), closed], [true, []]);
    mock.timers.tick(60_000);
    assert.deepEqual([server.io._nsps.has("/d"), closed], [false, ["/d"]]);
  });
});
