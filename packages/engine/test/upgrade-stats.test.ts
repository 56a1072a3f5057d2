import assert from "node:assert/strict";
import { Engine, MemoryHost } from "@tidewire/engine";
import { DrivenLoop } from "./driven-loop.ts";

const URL = "/engine.io/?EIO=4&transport=";

describe("engine.stats()", () => {
  /** An engine, and two sessions on long-polling. */
  async function twoSessions(): Promise<{
    host: MemoryHost;
    loop: DrivenLoop;
    engine: Engine;
    ids: [string, string];
  }> {
    const host = new MemoryHost();
    const loop = new DrivenLoop();
    const engine = new Engine({ upgradeTimeout: 1000 }, loop).attachHost(host);
    const open = async (): Promise<string> => {
      const { body } = await host.request({ url: `${URL}polling` }).response;
      return (JSON.parse(body.toString().slice(1)) as { sid: string }).sid;
    };
    return { host, loop, engine, ids: [await open(), await open()] };
  }

  it("says how long upgrades took", async () => {
    const { host, loop, engine, ids } = await twoSessions();
    for (const [i, sid] of ids.entries()) {
      const socket = await host.connect({ url: `${URL}websocket&sid=${sid}` });
      loop.advance(10 * (i + 1));
      socket.send("2probe");
      loop.advance(20);
      socket.send("5");
    }
    const { upgrades, connections, handshakes } = engine.stats();
    assert.deepEqual(upgrades, { ok: 2, failed: 0, totalTime: 10 + 20 + 20 + 20 });
    assert.deepEqual([connections, handshakes], [{ websocket: 2 }, { polling: 2 }]);
    engine.close();
  });

  it("counts upgrades that are not finished in time, and those that their session does not outlive", async () => {
    const { host, loop, engine, ids } = await twoSessions();
    await host.connect({ url: `${URL}websocket&sid=${ids[0]}` });
    loop.advance(1000);
    assert.deepEqual(engine.stats().upgrades, { ok: 0, failed: 1, totalTime: 0 });
    assert.deepEqual(engine.stats().refusals, { UPGRADE_FAILURE: 1 });
    await host.connect({ url: `${URL}websocket&sid=${ids[1]}` });
    engine.find(ids[1])!.close(true);
    assert.deepEqual(engine.stats().upgrades, { ok: 0, failed: 2, totalTime: 0 });
    assert.deepEqual(engine.stats().connections, { polling: 1 });
    engine.close();
  });
});
