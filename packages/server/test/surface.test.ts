import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import * as official from "socket.io";
import * as ours from "@tidewire/server";
import { BroadcastOperator } from "../src/broadcast-operator.ts";
import { Client } from "../src/client.ts";
import { ParentNamespace } from "../src/parent-namespace.ts";
import { RemoteSocket } from "../src/remote-socket.ts";
import { startOfficial, startBound, pair } from "./support.ts";

type Constructor = abstract new (...args: never[]) => object;

/** What an object has, of its own or inherited, that a plain emitter has not. */
function members(object: object): string[] {
  const names = new Set<string>();
  for (
    let level: object = object;
    level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object
  ) {
    for (const name of Object.getOwnPropertyNames(level)) names.add(name);
  }
  return [...names].filter((name) => !(name in EventEmitter.prototype) && name !== "constructor").sort();
}

function missing(theirs: object, our: object, without: readonly string[] = []): string[] {
  return members(theirs).filter((name) => !(name in our) && !without.includes(name));
}

/** Where each class of the official server can be had: it exports three of them. */
function classOf(instance: object): Constructor {
  return instance.constructor as Constructor;
}

describe("the surface of the official server", () => {
  it("exports the same names, and what the package of the cluster needs", () => {
    assert.deepEqual(Object.keys(ours).sort(), ["Namespace", "Server", "Socket", "internals"]);
  });

  it("has every member of Server", () => {
    assert.deepEqual(missing(new official.Server(), new ours.Server()), []);
  });

  it("has every member of Namespace", () => {
    assert.deepEqual(missing(new official.Server().of("/a"), new ours.Server().of("/a")), []);
  });

  it("has every member of ParentNamespace", () => {
    const parent = new ours.Server().of(/a/);
    assert.ok(parent instanceof ParentNamespace);
    assert.deepEqual(missing(new official.Server().of(/a/), parent), []);
  });

  it("has every member of BroadcastOperator", () => {
    const operator = new ours.Server().to("a");
    assert.ok(operator instanceof BroadcastOperator);
    assert.deepEqual(missing(new official.Server().to("a"), operator), []);
  });

  it("has every member of RemoteSocket", async () => {
    const details = { id: "x", handshake: {}, rooms: [], data: {} };
    const io = new official.Server();
    io.of("/").adapter.fetchSockets = async () => [details];
    const [theirs] = await io.fetchSockets();
    const our = new RemoteSocket(new ours.Server().to("x"), details as never);
    assert.deepEqual(missing(classOf(theirs as object).prototype as object, our), []);
  });

  it("has every member of Socket and Client", async () => {
    await using theirs = await startOfficial();
    await using our = await startBound();
    const [[theirSocket], [ourSocket]] = await Promise.all([pair(theirs), pair(our)]);
    // Lists of listeners that are made on first use, under a private name.
    assert.deepEqual(missing(theirSocket, ourSocket), []);
    assert.ok(ourSocket.client instanceof Client);
    assert.deepEqual(missing(theirSocket.client, ourSocket.client), []);
  });

  it("is a socket without a numeric readyState that accepts further properties", async () => {
    await using server = await startBound();
    const [socket] = await pair(server);
    assert.equal("readyState" in socket, false);
    Object.defineProperty(socket, "mine", { value: 1 });
    assert.equal((socket as unknown as { mine: number }).mine, 1);
    socket.data = new Proxy({ a: 1 }, {});
    assert.deepEqual(socket.data, { a: 1 });
  });
});
