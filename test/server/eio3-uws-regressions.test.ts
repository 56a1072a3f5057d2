// Bugs of the official server on uWebSockets.js with protocol 3 clients, as tests of the correct behaviour.
import assert from "node:assert/strict";
import { NetworkClient } from "../support/wire/network-client.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";

const PATH = "/socket.io/?EIO=3&transport=";

onEveryHost(
  "server: protocol 3, where the official server on uWebSockets.js has bugs",
  serverHostsAndApp,
  (host) => {
    it("sends a binary broadcast with its type byte", async () => {
      await using running = await host.start({ allowEIO3: true });
      using wire = new NetworkClient(running.port);
      const socket = await wire.websocket(`${PATH}websocket`);
      await socket.take(2);
      running.io.emit("bytes", Buffer.from([1, 2, 3]));
      const frames = await socket.take(2);
      assert.deepEqual(frames, ['451-["bytes",{"_placeholder":true,"num":0}]', Buffer.from([4, 1, 2, 3])]);
    });

    it("supports JSONP", async () => {
      await using running = await host.start({ allowEIO3: true });
      using wire = new NetworkClient(running.port);
      const { body } = await wire.get(`${PATH}polling&j=0`);
      assert.match(body, /^___eio\[0\]\("118:0\{\\"sid\\":.*\}"\);$/);
    });

    it("reads a binary payload", async () => {
      await using running = await host.start({ allowEIO3: true });
      using wire = new NetworkClient(running.port);
      const { body } = await wire.get(`${PATH}polling`);
      const path = `${PATH}polling&sid=${/"sid":"([^"]+)"/.exec(body)?.[1]}`;
      assert.equal((await wire.get(path)).body, "2:40");
      const headers = { "content-type": "application/octet-stream" };
      // one text packet, a ping
      const posted = await wire.post(path, Buffer.from([0, 1, 255, 0x32]), { headers });
      assert.equal(posted.body, "ok");
      assert.equal((await wire.get(path)).body, "1:3");
    });

    it("refuses a WebSocket before the upgrade if it is not allowed", async () => {
      await using running = await host.start();
      using wire = new NetworkClient(running.port);
      const { status, body } = await wire.refused(`${PATH}websocket`);
      assert.deepEqual([status, body], [400, "Unsupported protocol version"]);
    });
  },
);
