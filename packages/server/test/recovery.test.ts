import assert from "node:assert/strict";
import { once } from "node:events";
import { heard, startBound } from "./support.ts";

describe("connection state recovery", () => {
  it("gives a client that comes back its id, rooms, data and missed packets, without the middlewares", async () => {
    await using server = await startBound({ connectionStateRecovery: {} });
    let asked = 0;
    server.io.use((_socket, next) => {
      asked++;
      next();
    });
    const [socket, client] = await server.pair("/", { reconnection: true, reconnectionDelay: 1 });
    void socket.join("room");
    socket.data.name = "Ada";
    const first = heard(client, "first");
    socket.emit("first");
    const [offset] = await first;
    assert.match(String(offset), /^[\w-]{7}$/);

    const gone = once(socket, "disconnect");
    const back = once(server.io, "connection");
    client.io.engine.close();
    await gone;
    server.io.to("room").emit("missed", 1);
    server.io.to("elsewhere").emit("foreign");
    const missed = heard(client, "missed");
    const [again] = await back;
    assert.equal((await missed)[0], 1);
    assert.deepEqual(
      [again.recovered, again.id, again.data, again.rooms, asked],
      [true, socket.id, { name: "Ada" }, new Set(["room", socket.id]), 1],
    );
    assert.equal(client.recovered, true);
  });

  it("takes a client for a new one if the adapter knows nothing of it", async () => {
    await using server = await startBound({ connectionStateRecovery: {} });
    const [socket] = await server.pair("/", { auth: { pid: "unknown", offset: "unknown" } });
    assert.equal(socket.recovered, false);
  });
});
