import assert from "node:assert/strict";
import { next } from "../../test/support/waiting/events.ts";
import type { Socket } from "../../test/support/server/socketio.ts";
import { onEveryClient } from "./setting.ts";

onEveryClient("joining a namespace", {}, (setting) => {
  it("fails if the namespace does not exist", async () => {
    const server = await setting.start();
    const client = setting.open(server.url, {}, "/nowhere");
    assert.equal((await setting.refused(client)).message, "Invalid namespace");
    assert.equal(client.connected, false);
  });

  it("fails with the message of a middleware's error", async () => {
    const server = await setting.start();
    server.io.of("/closed").use((_, proceed) => proceed(new Error("not today")));
    const client = setting.open(server.url, {}, "/closed");
    assert.equal((await setting.refused(client)).message, "not today");
  });

  it("fails with the data of a middleware's error", async () => {
    const server = await setting.start();
    const data = { code: "E1", retry: [1, 2, { after: null }] };
    server.io.of("/closed").use((_, proceed) => proceed(Object.assign(new Error("not today"), { data })));
    const client = setting.open(server.url, {}, "/closed");
    assert.deepEqual((await setting.refused(client)).data, data);
  });

  it("succeeds on a second attempt after a refusal", async () => {
    const server = await setting.start();
    let asked = 0;
    server.io.of("/late").use((_, proceed) => proceed(asked++ === 0 ? new Error("too early") : undefined));
    const client = setting.open(server.url, {}, "/late");
    assert.equal((await setting.refused(client)).message, "too early");
    client.open();
    await setting.connected(client);
    assert.equal(asked, 2);
  });

  it("waits for a slow middleware", async () => {
    const server = await setting.start();
    let letIn: () => void = () => {};
    const asked = new Promise<Socket>((resolve) => {
      server.io.of("/slow").use((socket, proceed) => {
        letIn = proceed;
        resolve(socket);
      });
    });
    const client = setting.open(server.url, {}, "/slow");
    const socket = await asked;
    assert.equal(client.connected, false);
    letIn();
    await setting.connected(client);
    assert.equal(client.id, socket.id);
  });

  it("creates a namespace whose name matches a pattern", async () => {
    const server = await setting.start();
    const connection = next<[Socket]>(server.io.of(/^\/room-\d+$/), "connection");
    const client = setting.open(server.url, {}, "/room-12");
    const [[socket]] = await Promise.all([connection, setting.connected(client)]);
    assert.equal(socket.nsp.name, "/room-12");
  });
});
