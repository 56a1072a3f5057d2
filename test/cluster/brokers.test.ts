// Three machines, addresses of the loopback interface, which find each other and broadcast through NATS or PostgreSQL. A load balancer
// without affinity is in front of them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../support/hosts/free-port.ts";
import type { BackendServer } from "../support/backends/backend-suite.ts";
import { Cable } from "../support/backends/cable.ts";
import { NatsServer, describeWithNats } from "../support/nats/nats-server.ts";
import { PostgresServer, describeWithPostgres } from "../support/postgres/postgres-server.ts";
import { ClusteredProcess } from "../support/processes/clustered-process.ts";
import { Clients } from "../support/processes/clients.ts";
import { roundRobinProxy } from "../support/proxies/round-robin.ts";
import type { RoundRobinProxy } from "../support/proxies/round-robin.ts";
import { next } from "../support/waiting/events.ts";
import { PATIENCE } from "../support/waiting/queue.ts";

const SECRET = "a secret that all nodes share";
const MACHINES = [2, 3, 4];

/** How many broadcasts a second, while the broker is killed and started, or hangs. */
const RATE = Number(process.env["BROADCAST_RATE"] ?? 500);

/** A broker, and one process on each of three machines, with a cable between them. */
class Machines implements AsyncDisposable {
  readonly broker: BackendServer;
  readonly cable: Cable;
  readonly all: ClusteredProcess[] = [];
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  #proxy: RoundRobinProxy | undefined = undefined;

  private constructor(broker: BackendServer, cable: Cable) {
    this.broker = broker;
    this.cable = cable;
  }

  /** @param option - of the processes, which takes the port of the cable */
  static async start(broker: BackendServer, option: "natsPort" | "postgresPort"): Promise<Machines> {
    const machines = new Machines(broker, await Cable.to(broker.port));
    const ports: number[] = [];
    for (const number of MACHINES) {
      const port = await freePort();
      const listen = { host: `127.0.0.${number}`, secret: SECRET };
      const options = { name: "test", listen, [option]: machines.cable.port };
      ports.push(port);
      machines.all.push(new ClusteredProcess("node", port, join(machines.#folder, String(number)), options));
    }
    await Promise.all(machines.all.map((each) => each.ready()));
    machines.#proxy = await roundRobinProxy(ports);
    return machines;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy!.port}`;
  }

  /** Waits until each process has reported it of its channels and of its discovery. */
  async report(event: "away" | "back"): Promise<void> {
    const codes = ["CHANNELS_AWAY", "DISCOVERY_AWAY"];
    for (const each of this.all)
      assert.deepEqual((await each.reports(event).take(2)).map(String).toSorted(), codes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.all) each[Symbol.dispose]();
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.cable[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function describeBroker(start: () => Promise<Machines>): void {
  let machines: Machines;

  before(async () => {
    machines = await start();
  });

  after(() => machines[Symbol.asyncDispose]());

  it("broadcast to the clients of all, and count the sockets of rooms", async () => {
    using clients = new Clients(machines.url, 12, { transports: ["polling"] });
    const nodes = await clients.nodes();
    assert.equal(new Set(nodes).size, 3);
    for (const shouter of clients.all.slice(0, 3)) {
      const heard = clients.all.map((client) => next<[string]>(client, "shouted"));
      shouter.emit("shout", "hello");
      for (const [word] of await Promise.all(heard)) assert.equal(word, "hello");
    }
    await Promise.all(clients.all.map((client) => client.emitWithAck("join", "room")));
    assert.equal(await clients.all[0]!.emitWithAck("count", "room"), 12);
    assert.deepEqual(clients.losses, []);
  });

  it("broadcast what is larger than the broker carries", async () => {
    using clients = new Clients(machines.url, 6, { transports: ["websocket"] });
    await clients.nodes();
    const large = "x".repeat(100_000);
    const heard = clients.all.map((client) => next<[string]>(client, "shouted"));
    clients.all[0]!.emit("shout", large);
    for (const [word] of await Promise.all(heard)) assert.equal(word, large);
  });

  /** Every client gets every broadcast once, whatever is done meanwhile. */
  async function broadcastDuring(action: () => Promise<void>): Promise<void> {
    using clients = new Clients(machines.url, 6, { transports: ["websocket"] });
    await clients.nodes();
    const heard = clients.all.map((client) => {
      const numbers: number[] = [];
      client.on("shouted", (number: number) => numbers.push(number));
      return numbers;
    });
    const shouting = new Shouting(clients.all[0]!);
    await delay(500);
    await action();
    await delay(500);
    const count = shouting.end();
    // Whatever is on its way over channels and links arrives before answers do, or is reported as missing.
    const end = performance.now() + PATIENCE;
    while (heard.some(({ length }) => length < count) && performance.now() < end) await clients.echo(1);
    const all = Array.from({ length: count }, (_, number) => number);
    for (const numbers of heard)
      assert.deepEqual(
        numbers.toSorted((one, other) => one - other),
        all,
      );
    assert.deepEqual(clients.losses, []);
    assert.deepEqual(
      machines.all.flatMap((each) => each.reports("gap").pending),
      [],
    );
  }

  it("lose no broadcast, and get none twice, while the broker is killed and started", () =>
    broadcastDuring(async () => {
      await machines.broker.kill();
      await machines.report("away");
      await machines.broker.start();
      await machines.report("back");
    }));

  it("lose no broadcast, and get none twice, while the broker does not answer", () =>
    broadcastDuring(async () => {
      machines.cable.block();
      await machines.report("away");
      machines.cable.mend();
      await machines.report("back");
    }));
}

/** A client that shouts numbers, from 0 on, at `RATE`. */
class Shouting {
  readonly #begin: number = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(client: Clients["all"][number]) {
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#begin) * RATE) / 1000;
      while (this.#sent < due) client.emit("shout", this.#sent++);
    }, 5);
  }

  /** Returns how many it has shouted. */
  end(): number {
    clearInterval(this.#timer);
    return this.#sent;
  }
}

describeWithNats("three machines over NATS", function () {
  this.timeout(60_000);
  describeBroker(async () => Machines.start(await NatsServer.start(), "natsPort"));
});

describeWithPostgres("three machines over PostgreSQL", function () {
  this.timeout(60_000);
  describeBroker(async () => Machines.start(await PostgresServer.start(), "postgresPort"));
});
