import assert from "node:assert/strict";
import { Adapter, SessionAwareAdapter } from "socket.io-adapter";
import type { BroadcastOptions, Session } from "socket.io-adapter";
import { back, heardBy, lost } from "../support/server/recovery.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ServerOptions } from "../support/server/socketio.ts";
import { pair, settled } from "../support/server/clients.ts";

type AdapterOption = NonNullable<ServerOptions["adapter"]>;

const fails = (): never => {
  throw new Error("the store is gone");
};
const rejects = (): Promise<never> => Promise.reject(new Error("the store is gone"));

/** An adapter whose sessions are kept by these functions, or by none. */
function keeping(
  persistSession: (() => unknown) | undefined,
  restoreSession: (() => unknown) | undefined,
): AdapterOption {
  class Keeping extends Adapter {}
  Object.assign(Keeping.prototype, { persistSession, restoreSession });
  return Keeping;
}

const nothing = { "no functions for it": [undefined, undefined] } as const;
const broken = {
  "a store that throws": [fails, fails],
  "a store that rejects": [rejects, rejects],
  "a store that knows nothing": [() => {}, () => null],
} as const;

onEveryHost("connection state recovery by an adapter", serverHostsAndApp, (host) => {
  for (const [what, [persist, restore]] of Object.entries({ ...nothing, ...broken })) {
    it(`with ${what}: a returning client gets a new session, and nothing else happens`, async () => {
      const adapter = keeping(persist, restore);
      await using running = await host.start({ adapter, connectionStateRecovery: {} });
      const { client, socket } = await pair(running);
      await socket.join("room");
      const first = next(client, "first");
      socket.emit("first", "taken for an offset");
      await first;
      await lost(client, socket);
      assert.deepEqual([running.io.sockets.sockets.size, socket.rooms.size], [0, 0]);
      const again = await back(running, client);
      assert.deepEqual([again.recovered, client.recovered], [false, false]);
      assert.notEqual(again.id, socket.id);
      await settled(client, again);
    });
  }

  it("may be a subclass of SessionAwareAdapter, which sees broadcasts and kept sessions", async () => {
    const calls: unknown[][] = [];
    class Watching extends SessionAwareAdapter {
      override broadcast(packet: { data: unknown[] }, target: BroadcastOptions): void {
        calls.push(["broadcast", packet.data[0]]);
        super.broadcast(packet, target);
      }
      override persistSession(session: Session): void {
        calls.push(["persist", session.sid, [...session.rooms].sort()]);
        super.persistSession(session);
      }
      override restoreSession(pid: string, offset: string): Promise<Session> {
        calls.push(["restore", pid.length]);
        return super.restoreSession(pid, offset);
      }
    }
    await using running = await host.start({ adapter: Watching, connectionStateRecovery: {} });
    const { client, socket } = await pair(running);
    await socket.join("room");
    const first = next(client, "first");
    socket.emit("first");
    await first;
    await lost(client, socket);
    const heard = heardBy(client);
    running.io.to("room").emit("missed");
    const again = await back(running, client);
    const live = next(client, "live");
    running.io.to("room").emit("live");
    await live;
    assert.deepEqual([again.recovered, again.id, heard], [true, socket.id, [["missed"], ["live"]]]);
    assert.deepEqual(calls, [
      ["broadcast", "first"],
      ["persist", socket.id, ["room", socket.id].sort()],
      ["broadcast", "missed"],
      ["restore", 20],
      ["broadcast", "live"],
    ]);
  });

  it("may keep a session slowly: its client may return first", async () => {
    class Slow extends SessionAwareAdapter {}
    Object.assign(Slow.prototype, {
      async persistSession(this: Slow, session: Session) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        SessionAwareAdapter.prototype.persistSession.call(this, session);
      },
    });
    await using running = await host.start({ adapter: Slow, connectionStateRecovery: {} });
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const first = next(client, "first");
    socket.emit("first");
    await first;
    await lost(client, socket);
    const again = await back(running, client);
    assert.deepEqual([again.recovered, again.id], [true, socket.id]);
  });
});
