// A burst of one process for a client that does not read, and whose WebSocket another process has.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../support/hosts/free-port.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { ClusteredProcess } from "../support/processes/clustered-process.ts";
import { memoryOf } from "../support/processes/memory-of.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { closing } from "../support/waiting/closing.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

const PIECES = 64;
const LENGTH = 1_000_000;
/** How much the process between may grow, in bytes: by the credit of 256 KiB, one message, and what its first traffic leaves behind. */
const GROWTH = 32 * 2 ** 20;
/** How long nothing more may come, in ms. */
const QUIET = 500;

for (const { name: host } of chosen(serverHosts)) {
  const gap = process.platform !== "linux" ? "needs /proc" : host === "uws" ? whyNoUws : undefined;
  const title = "waits where it was sent: the process between keeps no more than its credit";

  describe(`a burst of 64 MB to a slow reader at another process [${host}]`, function () {
    this.timeout(60_000);
    if (gap !== undefined) {
      it(`${title} [${gap}]`);
      return;
    }

    it(title, async () => {
      const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
      using _folder = closing(() => rmSync(folder, { recursive: true, force: true }));
      const start = async (port: number): Promise<ClusteredProcess> =>
        new ClusteredProcess(host as "uws" | "node", port, join(folder, "c"), {
          name: "burst",
          bind: "early",
        });
      const ports = [await freePort(), await freePort()] as const;
      using owner = await start(ports[0]);
      using between = await start(ports[1]);
      await Promise.all([owner.ready(), between.ready()]);
      while ((await owner.nodes()).length < 2) await owner.reports("join").next();

      using wire = new NetworkClient(ports[0]);
      const { body } = await wire.get("/socket.io/?EIO=4&transport=polling");
      const { sid } = JSON.parse(body.slice(1)) as { sid: string };
      using detour = new NetworkClient(ports[1]);
      const socket = await detour.websocket(`/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
      socket.sendText("2probe");
      assert.equal(await socket.next(), "3probe");
      socket.sendText("5");
      socket.sendText("40");
      assert.match(String(await socket.next()), /^40{"sid"/);
      assert.equal(await socket.next(), `42["node","${owner.id}"]`);

      // It has seen such a message before.
      socket.sendText(`42["burst",1,${LENGTH}]`);
      await socket.next();
      await owner.reports("burst").next();
      const before = memoryOf(between.child.pid!);
      socket.pause();
      socket.sendText(`42["burst",${PIECES},${LENGTH}]`);
      await owner.reports("burst").next();
      await delay(QUIET);
      const growth = memoryOf(between.child.pid!) - before;
      assert.ok(growth < GROWTH, `it has grown by ${growth} bytes`);
      socket.resume();
      for (let index = 0; index < PIECES; index++) {
        const piece = String(await socket.next());
        assert.equal(piece.slice(0, 20 + String(index).length), `42["piece",${index},"xxxxxxx`);
        assert.equal(piece.length, LENGTH + 15 + String(index).length);
      }
    });
  });
}
