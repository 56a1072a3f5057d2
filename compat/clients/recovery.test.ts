import assert from "node:assert/strict";
import { afterThisTest } from "../support/after-test.ts";
import { collect, next } from "../../test/support/waiting/events.ts";
import type { Server, Socket } from "../../test/support/server/socketio.ts";
import { cuttableProxy } from "../../test/support/proxies/tcp.ts";
import { RestartableServer } from "../support/restartable.ts";
import { onEveryClient, type Joined, type OpenOptions, type Setting } from "./setting.ts";

const soon: OpenOptions = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 60 };
const connectionStateRecovery = { maxDisconnectionDuration: 60_000 };

interface Recovering extends Joined {
  io: Server;
  /** Breaks the connection with a TCP reset, and waits until both sides notice. */
  lose: () => Promise<void>;
  /** Reconnects the client, and resolves with its socket. */
  comeBack: () => Promise<Socket>;
}

/** Connects a client through a proxy, and sends it a first event, which gives it an offset. */
async function joinRecovering(setting: Setting): Promise<Recovering> {
  const server = await setting.start({ connectionStateRecovery });
  const proxy = await cuttableProxy(server.port);
  afterThisTest(() => proxy.close());
  const url = `http://127.0.0.1:${proxy.port}`;
  const joined = await setting.joinFully({ io: server.io, url }, { ...soon, reconnection: false });
  const first = next(joined.client, "first");
  joined.socket.emit("first");
  await first;
  return {
    ...joined,
    io: server.io,
    lose: async () => {
      while (!joined.socket.conn.transport.writable) await new Promise(setImmediate);
      const gone = [next(joined.socket, "disconnect"), next(joined.client, "disconnect")];
      proxy.reset();
      await Promise.all(gone);
    },
    comeBack: async () => {
      const connection = next<[Socket]>(server.io, "connection");
      joined.client.open();
      const [[socket]] = await Promise.all([connection, setting.connected(joined.client)]);
      return socket;
    },
  };
}

onEveryClient("state recovery", {}, (setting) => {
  setting.itWith("recovery", "restores the id, the rooms and the data", async () => {
    const { client, socket, lose, comeBack } = await joinRecovering(setting);
    await socket.join("room");
    (socket.data as { user?: string }).user = "kim";
    await lose();
    const again = await comeBack();
    assert.equal(client.recovered, true);
    assert.equal(again.recovered, true);
    assert.equal(again.id, socket.id);
    assert.equal(client.id, socket.id);
    assert.ok(again.rooms.has("room"));
    assert.deepEqual(again.data, { user: "kim" });
  });

  setting.itWith("recovery", "delivers missed events in order, before new ones", async () => {
    const { io, client, socket, lose, comeBack } = await joinRecovering(setting);
    await socket.join("room");
    await lose();
    io.emit("item", "to all");
    io.to("room").emit("item", "to the room");
    io.to("elsewhere").emit("item", "to others");
    io.to(socket.id).emit("item", Buffer.from([1, 2, 3]));
    const heard = collect(client, "item", 4);
    (await comeBack()).emit("item", "new");
    // each recoverable event ends with its offset
    assert.deepEqual(
      (await heard).map(([item]) => (item instanceof Uint8Array ? [...item] : item)),
      ["to all", "to the room", [1, 2, 3], "new"],
    );
  });

  setting.itWith("recovery", "works several times in a row", async () => {
    const { io, client, socket, lose, comeBack } = await joinRecovering(setting);
    await lose();
    io.emit("item", 1);
    const once = next(client, "item");
    const second = await comeBack();
    assert.equal((await once)[0], 1);
    const gone = [next(second, "disconnect"), next(client, "disconnect")];
    second.conn.close();
    await Promise.all(gone);
    io.emit("item", 2);
    const twice = next(client, "item");
    const third = await comeBack();
    assert.equal((await twice)[0], 2);
    assert.equal(third.recovered, true);
    assert.equal(third.id, socket.id);
  });

  setting.itWith("recovery", "creates a new socket if the server restarted", async () => {
    const server = await RestartableServer.start(setting.cell.host, {
      server: setting.serverOptions({ connectionStateRecovery }),
    });
    const { client, socket } = await setting.joinFully(server, soon);
    const first = next(client, "first");
    socket.emit("first");
    await first;
    const gone = next(client, "disconnect");
    await server.stop();
    await gone;
    const connected = next(client, "connect");
    await server.start();
    await connected;
    assert.equal(client.recovered, false);
    assert.notEqual(client.id, socket.id);
  });

  setting.itWith("recovery", "creates a new socket if the client disconnected on purpose", async () => {
    const { client, socket, comeBack } = await joinRecovering(setting);
    const gone = next(socket, "disconnect");
    client.close();
    await gone;
    const again = await comeBack();
    assert.equal(again.recovered, false);
    assert.notEqual(again.id, socket.id);
  });
});
