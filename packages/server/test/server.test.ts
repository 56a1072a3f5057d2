import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Namespace, Server } from "@tidewire/server";

describe("new Server()", () => {
  it("listens on a port given as a number or as text, and knows it at once", async () => {
    for (const port of [0, "0"]) {
      const io = new Server(port);
      const { port: bound } = io.httpServer.address() as AddressInfo;
      assert.ok(bound > 0);
      await io.close();
    }
  });

  it("accepts options alone, or after what it is attached to", async () => {
    assert.equal(new Server({ path: "/mine/" }).path(), "/mine");
    const httpServer = createServer();
    const io = new Server(httpServer, { path: "/mine" });
    assert.equal(io.path(), "/mine");
    assert.equal(io.httpServer, httpServer);
    await io.close();
  });

  it("refuses an express application, and says what it needs", () => {
    const app = (): void => {};
    assert.throws(() => new Server(app as never), {
      message:
        "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.",
    });
  });

  it("has the defaults of the official server", () => {
    const io = new Server();
    assert.deepEqual([io.path(), io.connectTimeout(), io.serveClient()], ["/socket.io", 45_000, true]);
    assert.equal(io._opts, io.opts);
    assert.equal(io.engine, undefined);
  });
});

describe("the server as an emitter", () => {
  it("stands for its root namespace", () => {
    const io = new Server();
    const heard: unknown[] = [];
    io.on("hello", (value) => heard.push(value));
    io.sockets._onServerSideEmit(["hello", 1]);
    assert.deepEqual(heard, [1]);
    assert.equal(io.listenerCount("hello"), 1);
    assert.equal(io.sockets.listenerCount("hello"), 1);
  });

  it("announces namespaces", () => {
    const io = new Server();
    const names: string[] = [];
    io.on("new_namespace", ({ name }) => names.push(name));
    io.of("a");
    io.of("/a");
    assert.deepEqual(names, ["/a"]);
    assert.ok(io.of("/a") instanceof Namespace);
  });

  it("refuses reserved names to other servers", () => {
    const io = new Server();
    for (const name of ["connect", "connection", "new_namespace"]) {
      assert.throws(() => io.serverSideEmit(name), { message: `"${name}" is a reserved event name` });
    }
  });

  it("refuses regular expressions with a state", () => {
    for (const regexp of [/a/g, /a/y]) {
      assert.throws(() => new Server().of(regexp), {
        message: "stateful regular expressions are not supported",
      });
    }
  });

  it("does not fetch the sockets of a parent namespace", () => {
    assert.throws(() => new Server().of(/a/).fetchSockets(), {
      message: "fetchSockets() is not supported on parent namespaces",
    });
  });
});

describe("io.close()", () => {
  it("rejects before the server is attached", async () => {
    await assert.rejects(new Server().close(), TypeError);
  });

  it("calls back, and settles", async () => {
    const io = new Server(0);
    const calls: unknown[] = [];
    await io.close((error) => calls.push(error));
    assert.deepEqual(calls, [undefined]);
    assert.equal(io.httpServer.listening, false);
  });

  it("closes the adapters, and goes on if one fails", async () => {
    const io = new Server(0);
    const closed: string[] = [];
    io.of("/").adapter.close = () => Promise.reject(new Error("no"));
    io.of("/a").adapter.close = () => void closed.push("/a");
    await io.close();
    assert.deepEqual(closed, ["/a"]);
  });
});
