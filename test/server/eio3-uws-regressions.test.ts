// Bugs of the official server on uWebSockets.js with clients of protocol 3, one per test. Ours must not have them.
import assert from "node:assert/strict";
import { NetworkClient } from "../support/wire/network-client.ts";
import { afterThisTest, suite } from "../support/hosts/after-test.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";

const PATH = "/socket.io/?EIO=3&transport=";

async function start(
  host: ServerHost,
  options: object = { allowEIO3: true },
): Promise<[emit: Emit, NetworkClient]> {
  const { io, port } = await host.start(options);
  const wire = new NetworkClient(port);
  afterThisTest(() => wire.close());
  return [(...args) => void io.emit(...args), wire];
}

type Emit = (event: string, ...args: unknown[]) => void;

for (const host of serverHostsAndApp) {
  suite(`server: protocol 3 on ${host.name}, what official uWebSockets.js support gets wrong`, () => {
    it("a binary broadcast lacks its type byte", async () => {
      const [broadcast, wire] = await start(host);
      const socket = await wire.websocket(`${PATH}websocket`);
      await socket.take(2);
      broadcast("bytes", Buffer.from([1, 2, 3]));
      const frames = await socket.take(2);
      assert.deepEqual(frames, ['451-["bytes",{"_placeholder":true,"num":0}]', Buffer.from([4, 1, 2, 3])]);
    });

    it("JSONP is ignored", async () => {
      const [, wire] = await start(host);
      const { body } = await wire.get(`${PATH}polling&j=0`);
      assert.match(body, /^___eio\[0\]\("118:0\{\\"sid\\":.*\}"\);$/);
    });

    it("a binary payload is read as text", async () => {
      const [, wire] = await start(host);
      const { body } = await wire.get(`${PATH}polling`);
      const path = `${PATH}polling&sid=${/"sid":"([^"]+)"/.exec(body)?.[1]}`;
      assert.equal((await wire.get(path)).body, "2:40");
      const headers = { "content-type": "application/octet-stream" };
      // one text packet, a ping
      const posted = await wire.post(path, Buffer.from([0, 1, 255, 0x32]), { headers });
      assert.equal(posted.body, "ok");
      assert.equal((await wire.get(path)).body, "1:3");
    });

    const refused = "a WebSocket that is not allowed is refused within the upgraded stream";
    it(refused, async () => {
      const [, wire] = await start(host, {});
      const { status, body } = await wire.refused(`${PATH}websocket`);
      assert.deepEqual([status, body], [400, "Unsupported protocol version"]);
    });
  });
}
