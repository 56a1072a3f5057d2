import assert from "node:assert/strict";
import { mock } from "node:test";
import timers from "node:timers";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";

let undo: (() => void)[] = [];

/** Every timer, as libraries of fake timers replace them: on `globalThis` and in `node:timers`, none of which ever fires. */
function fakeTimers(): void {
  const never = (): { unref(): void } => ({ unref() {} });
  const names = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "clearTimeout"] as const;
  const replace = (target: object, name: string, value: unknown): void => {
    const descriptor = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    undo.push(() => {
      if (descriptor === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, descriptor);
    });
  };
  for (const name of names) {
    replace(globalThis, name, never);
    if (name in timers) replace(timers, name, never);
  }
  replace(performance, "now", () => 0);
}

function restoreTimers(): void {
  for (const each of undo) each();
  undo = [];
  mock.timers.reset();
}

describe("engine: fake timers of a test", () => {
  afterEach(restoreTimers);

  onEveryHost("clients", engineHosts, (host) => {
    host.it("serves a WebSocket client while all timers are replaced, and another one after", async () => {
      await using server = await host.start();
      fakeTimers();
      const { socket, session } = await openWebSocket(server);
      session.on("message", (data: string) => session.send(data));
      session.send("not an answer");
      assert.equal(await socket.next(), "4not an answer");
      socket.sendText("4hello");
      assert.equal(await socket.next(), "4hello");
      restoreTimers();
      await openWebSocket(server);
    });

    host.it("serves a polling client while all timers are replaced", async () => {
      await using server = await host.start();
      fakeTimers();
      const peer = await PollingPeer.open(server);
      peer.session.send("a");
      assert.equal(await peer.poll(), "4a");
      restoreTimers();
    });

    host.it("pings, and detects a silent client, while node:test has mocked the timers", async () => {
      await using server = await host.start({ pingInterval: 30, pingTimeout: 30 });
      mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"] });
      const { socket, session } = await openWebSocket(server);
      assert.equal(await socket.next(), "2");
      assert.equal((await server.closed(session)).reason, "ping timeout");
      restoreTimers();
    });
  });
});
