import assert from "node:assert/strict";
import { Engine, MemoryHost } from "@tidewire/engine";

describe("Traffic", () => {
  for (const [protocol, base64, ping] of [
    [3, "b4AQID", "2"],
    [4, "bAQID", "3"],
  ] as const)
    it(`counts messages of protocol ${protocol} as text, as binary and as base64`, async () => {
      const host = new MemoryHost();
      const engine = new Engine({ stats: true, allowEIO3: true }).attachHost(host);
      const client = await host.connect({ url: `/engine.io/?EIO=${protocol}&transport=websocket&b64=1` });
      client.send("4text");
      client.send(Buffer.from([4, 1]));
      client.send(base64);
      client.send(ping);
      assert.equal(engine.stats().traffic?.messagesIn, 3);
      engine.close();
    });
});
