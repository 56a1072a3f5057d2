import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import { Server } from "@tidewire/server";
import { MemoryServer } from "./memory.ts";

interface Call {
  rooms: string[];
  except: string[];
  flags: object | undefined;
}

/** A server whose root adapter notes down whom broadcasts were for. */
function recording(): { io: Server; calls: Call[] } {
  const calls: Call[] = [];
  const io = new Server();
  const { adapter } = io.of("/");
  adapter.broadcast = (_packet, { rooms, except, flags }) => {
    calls.push({ rooms: [...rooms], except: [...(except ?? [])], flags });
  };
  return { io, calls };
}

describe("broadcast operators", () => {
  it("gather rooms, exceptions and flags along the chain", () => {
    const { io, calls } = recording();
    io.to("a").in(["b", "c"]).except("d").except(["e"]).volatile.local.compress(false).emit("x");
    assert.deepEqual(calls, [
      { rooms: ["a", "b", "c"], except: ["d", "e"], flags: { volatile: true, local: true, compress: false } },
    ]);
  });

  it("are not changed by the steps that follow", () => {
    const { io, calls } = recording();
    const kept = io.to("a");
    kept.to("b").except("c").volatile.emit("one");
    kept.emit("two");
    assert.deepEqual(calls[1], { rooms: ["a"], except: [], flags: {} });
  });

  it("carry rooms, exceptRooms and flags", () => {
    const operator: unknown = new Server().to("a").except("b").timeout(5);
    const { rooms, exceptRooms, flags } = operator as {
      rooms: Set<string>;
      exceptRooms: Set<string>;
      flags: object;
    };
    assert.deepEqual([rooms, exceptRooms, flags], [new Set(["a"]), new Set(["b"]), { timeout: 5 }]);
  });

  it("refuse reserved event names, before anything is sent", () => {
    const { io, calls } = recording();
    for (const name of [
      "connect",
      "connect_error",
      "disconnect",
      "disconnecting",
      "newListener",
      "removeListener",
    ]) {
      assert.throws(() => io.emit(name), { message: `"${name}" is a reserved event name` });
    }
    assert.deepEqual(calls, []);
  });

  it("answer at once with an empty list when there are no clients", async () => {
    const io = new Server();
    assert.deepEqual(await io.timeout(1000).emitWithAck("x"), []);
    assert.deepEqual(await io.emitWithAck("x"), []);
    assert.deepEqual(await io.of("/a").emitWithAck("x"), []);
  });

  it("reject after the timeout, with the answers so far", async () => {
    const io = new Server();
    io.of("/").adapter.broadcastWithAck = (_packet, _target, count, answer) => {
      count(2);
      answer("one");
    };
    await assert.rejects(io.timeout(1).emitWithAck("x"), {
      message: "operation has timed out",
      responses: ["one"],
    });
  });

  it("wait for every server of the cluster", async () => {
    const io = new Server();
    const { adapter } = io.of("/");
    adapter.serverCount = async () => 2;
    adapter.broadcastWithAck = (_packet, _target, count, answer) => {
      count(1);
      answer("near");
      setImmediate(() => {
        count(1);
        answer("far");
      });
    };
    assert.deepEqual(await io.timeout(1000).emitWithAck("x"), ["near", "far"]);
  });

  it("reject when the servers cannot be counted, with the answers so far", async () => {
    const io = new Server();
    const { adapter } = io.of("/");
    adapter.serverCount = async () => Promise.reject(new Error("the broker is gone"));
    adapter.broadcastWithAck = (_packet, _target, count, answer) => {
      count(2);
      answer("one");
    };
    await assert.rejects(io.emitWithAck("x"), { message: "the broker is gone", responses: ["one"] });
  });

  it("return a single answer for remote sockets", async () => {
    const io = new Server();
    const { adapter } = io.of("/");
    adapter.fetchSockets = async () => [{ id: "far", handshake: {}, rooms: ["far"], data: { a: 1 } }];
    adapter.broadcastWithAck = (_packet, target, count, answer) => {
      assert.deepEqual(target.rooms, new Set(["far"]));
      count(1);
      answer("yes");
    };
    const [remote] = await io.fetchSockets();
    assert.ok(remote);
    assert.deepEqual([remote.id, remote.rooms, remote.data], ["far", new Set(["far"]), { a: 1 }]);
    const answer = await new Promise((resolve) => {
      remote.timeout(1000).emit("x", (error: unknown, value: unknown) => resolve([error, value]));
    });
    assert.deepEqual(answer, [null, "yes"]);
  });
});

describe("count()", () => {
  it("counts the members of rooms, each of them once", async () => {
    await using server = new MemoryServer();
    const [, one] = await server.join();
    const [, two] = await server.join();
    await server.join();
    await one.join(["r1", "r2"]);
    await two.join("r2");
    const { io } = server;
    const rooms = [
      io.in("r1"),
      io.in(["r1", "r2"]),
      io.in("r2").except("r1"),
      io.except("r1"),
      io.in("none"),
    ];
    assert.deepEqual(await Promise.all(rooms.map((operator) => operator.count())), [1, 2, 1, 2, 0]);
    assert.equal(await io.of("/empty").in("r1").count(), 0);
  });

  it("counts what an adapter without count() fetches", async () => {
    const io = new Server({ adapter: Adapter });
    io.of("/").adapter.fetchSockets = async () => [{ id: "a" }, { id: "b" }];
    assert.equal(await io.in("room").count(), 2);
  });

  it("is refused on a parent namespace, whose children on other servers are unknown", async () => {
    await assert.rejects(new Server().of(/a/).in("room").count(), { code: "PARENT_COUNT" });
  });
});

describe("a namespace without an adapter", () => {
  it("says so when it is asked for its sockets", () => {
    const io = new Server();
    Reflect.set(io.of("/a"), "adapter", undefined);
    assert.throws(() => io.of("/a").allSockets(), {
      message:
        "No adapter for this namespace, are you trying to get the list of clients of a dynamic namespace?",
    });
  });
});

describe("the adapter option", () => {
  it("takes a class", () => {
    class Mine extends Adapter {}
    assert.ok(new Server({ adapter: Mine }).of("/").adapter instanceof Mine);
  });

  it("takes a function, arrow or not", () => {
    const adapterOf = (nsp: unknown): Adapter => new Adapter(nsp);
    assert.equal(new Server({ adapter: adapterOf }).of("/").adapter.constructor, Adapter);
    const classic = function (nsp: unknown): Adapter {
      return new Adapter(nsp);
    };
    assert.equal(new Server({ adapter: classic }).of("/").adapter.constructor, Adapter);
  });

  it("set later, gives every namespace a new adapter", () => {
    class Mine extends Adapter {}
    const io = new Server();
    io.of("/a");
    io.adapter(Mine);
    assert.deepEqual(
      [...io._nsps.values()].map(({ adapter }) => adapter.constructor),
      [Mine, Mine],
    );
  });
});
