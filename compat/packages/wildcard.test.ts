import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { connect, program, published } from "./support/published.ts";

published("socketio-wildcard", (host) => {
  const server = program("middlewares", host);
  const open = async (): Promise<Socket> => {
    const client = connect(`${server().url}/wildcard`);
    await connected(client);
    return client;
  };

  it("catches an event without a listener", async () => {
    const client = await open();
    const caught = next(client, "caught");
    client.emit("unknown", 1, { data: Buffer.from([2]) });
    const data = ["unknown", 1, { data: Buffer.from([2]) }];
    const [packet] = await caught;
    assert.deepEqual((packet as { data: unknown }).data, data);
    assert.equal((packet as { nsp: string }).nsp, "/wildcard");
  });

  it("catches an event with a listener, which receives it, too", async () => {
    const client = await open();
    const caught = next<[{ data: unknown }]>(client, "caught");
    assert.equal(await client.emitWithAck("named", "x"), "named x");
    assert.deepEqual((await caught)[0].data, ["named", "x", "reply"]);
  });
});
