import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cluster } from "@tidewire/cluster";
import { Server } from "@tidewire/server";
import type { AdapterConstructor } from "@tidewire/server";
import { ClusterAdapter } from "socket.io-adapter";
import { cluster as officialAdapter } from "../../../test/support/cluster/adapter.ts";
import { StartedServer } from "../../../test/support/server/started-server.ts";
import { owning } from "../../../test/support/waiting/closing.ts";
import { next } from "../../../test/support/waiting/events.ts";

/** Two servers of a cluster, each on a port of its own, with the adapter of another package. */
async function two(): Promise<AsyncDisposable & { servers: [StartedServer, StartedServer] }> {
  const directory = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  const adapter = officialAdapter() as unknown as AdapterConstructor;
  const start = async (): Promise<StartedServer> => {
    const io = new Server(0, {
      host: "node",
      cluster: cluster({ name: "test", directory: join(directory, "c"), adapter }),
    });
    await once(io.cluster as unknown as NodeJS.EventEmitter, "ready");
    return StartedServer.of(io as never);
  };
  const servers: [StartedServer, StartedServer] = [await start(), await start()];
  const remove = {
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
  };
  return owning({ servers }, remove, ...servers);
}

describe("an adapter of another package, in a cluster", () => {
  it("carries the broadcasts, and requests reach the node of their session", async () => {
    await using running = await two();
    const [near, far] = running.servers;
    assert.ok(near.io.of("/").adapter instanceof ClusterAdapter);
    const client = near.client({ transports: ["polling"] });
    await next(client, "connect");
    const id = (client.io.engine as unknown as { id: string }).id;
    const heard = next(client, "hello");
    far.io.emit("hello", 1);
    assert.deepEqual(await heard, [1]);
    const answer = await fetch(`${far.url}/socket.io/?EIO=4&transport=polling&sid=${id}`, {
      method: "POST",
      body: '42["ev"]',
    });
    assert.equal(answer.status, 200);
    assert.equal((await far.io.fetchSockets()).length, 1);
  });
});
