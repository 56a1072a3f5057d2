// `tidewire start` on two machines, which have addresses of the loopback interface and folders of their own.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/hosts/free-port.ts";
import { scriptOf, Tidewire } from "../support/cli/tidewire.ts";
import { Clients } from "../support/processes/clients.ts";
import { roundRobinProxy } from "../support/proxies/round-robin.ts";
import { describeWithRedis, RedisServer } from "../support/redis/redis-server.ts";
import { needUws } from "../support/uws/absent.ts";

const READY = /worker \d \(pid \d+\) is ready/;

describeWithRedis("the workers of two machines", function () {
  this.timeout(60_000);

  it("are one cluster, and the clients of a machine that ends go to the other one", async () => {
    needUws();
    await using redis = await RedisServer.start();
    const start = async (host: string): Promise<AsyncDisposable & { port: number; tidewire: Tidewire }> => {
      const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
      const port = await freePort();
      const tidewire = Tidewire.run(["start", scriptOf("of-several-machines.ts"), "--workers", "2"], {
        PORT: String(port),
        LINK_HOST: host,
        SECRET: "a secret that all nodes share",
        REDIS_URL: redis.url,
        TMPDIR: folder,
      });
      const end = async (): Promise<void> => {
        await tidewire[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true, force: true });
      };
      await tidewire.saysTimes(READY, 2);
      return { port, tidewire, [Symbol.asyncDispose]: end };
    };
    await using one = await start("127.0.0.2");
    await using other = await start("127.0.0.3");
    const ports = [one.port, other.port];
    await using proxy = await roundRobinProxy(ports);
    const url = `http://127.0.0.1:${proxy.port}`;
    // While a worker meets the others, they take its new clients. After that, the kernel chooses.
    const workers = new Set<string>();
    while (workers.size < 4) {
      using some = new Clients(url, 8, { transports: ["websocket"] });
      for (const id of await some.nodes()) workers.add(id);
    }
    using clients = new Clients(url, 24, { reconnectionDelay: 100, reconnectionDelayMax: 200 });
    await clients.nodes();
    await clients.upgraded();
    await clients.echo(5);
    for (const client of clients.all) assert.equal(await client.emitWithAck("nodes"), 4);
    assert.deepEqual(clients.losses, []);

    // The load balancer sends nothing more to a machine that is about to end.
    ports.shift();
    one.tidewire.signal("SIGTERM");
    assert.equal(await one.tidewire.ended, 0);
    assert.equal(
      clients.losses.every((reason) => reason === "transport close"),
      true,
    );
    for (const client of clients.all) {
      while (
        (await client
          .timeout(5000)
          .emitWithAck("nodes")
          .catch(() => undefined)) !== 2
      );
    }
    await clients.echo(5);
  });
});
