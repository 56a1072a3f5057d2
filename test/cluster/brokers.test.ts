// Three machines, addresses of the loopback interface, which find each other and broadcast through NATS or PostgreSQL. A load balancer
// without affinity is in front of them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { io as connect } from "socket.io-client";
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
import { PATIENCE, within } from "../support/waiting/queue.ts";

const SECRET = "a secret that all nodes share";
const MACHINES = [2, 3, 4];

/** How many broadcasts a second, while the broker is killed and started, or hangs. */
const RATE = Number(process.env["BROADCAST_RATE"] ?? 500);

interface Broker extends BackendServer {
  /** It hangs, with all its connections. */
  stall(): void;
}

/** A broker, and one process on each of three machines, with a cable between them. */
class Machines implements AsyncDisposable {
  readonly broker: Broker;
  readonly cable: Cable;
  readonly all: ClusteredProcess[] = [];
  readonly #ports: number[] = [];
  readonly #folder: string = mkdtempSync(join(tmpdir(), "tidewire-test-"));
  #proxy: RoundRobinProxy | undefined = undefined;

  private constructor(broker: Broker, cable: Cable) {
    this.broker = broker;
    this.cable = cable;
  }

  /** @param option - of the processes, which takes the port of the cable */
  static async start(broker: Broker, option: "natsPort" | "postgresPort"): Promise<Machines> {
    const machines = new Machines(broker, await Cable.to(broker.port));
    try {
      for (const number of MACHINES) {
        const port = await freePort();
        const listen = { host: `127.0.0.${number}`, secret: SECRET };
        const options = { name: "test", listen, [option]: machines.cable.port };
        machines.#ports.push(port);
        machines.all.push(
          new ClusteredProcess("node", port, join(machines.#folder, String(number)), options),
        );
      }
      await Promise.all(machines.all.map((each) => each.ready()));
      machines.#proxy = await roundRobinProxy(machines.#ports);
      return machines;
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#proxy!.port}`;
  }

  /** Two clients of one of the processes alone, which do not come back: what happens to each until it is disconnected. */
  async witnesses(index: number): Promise<{ readonly told: Promise<string[]>[] } & Disposable> {
    const url = `http://127.0.0.1:${this.#ports[index]}`;
    const all = [["websocket"], ["polling"]].map((transports) =>
      connect(url, { forceNew: true, reconnection: false, transports }),
    );
    const told = all.map(async (client) => {
      const said: string[] = [];
      client.on("farewell", () => said.push("farewell"));
      const [reason] = await next<[string]>(client, "disconnect");
      return [...said, reason];
    });
    await Promise.all(all.map((client) => next(client, "node")));
    return { told, [Symbol.dispose]: () => all.forEach((client) => client.disconnect()) };
  }

  /** Forgets what the processes have reported: to a busy one, the broker may have been away for a moment. */
  async forget(): Promise<void> {
    for (const each of this.all)
      for (const event of ["away", "back"])
        await each.reports(event).take(each.reports(event).pending.length);
  }

  /** Waits until each process has reported it of its channels and of its discovery. */
  async report(event: "away" | "back", processes: readonly ClusteredProcess[] = this.all): Promise<void> {
    for (const each of processes) {
      const missing = new Set(["CHANNELS_AWAY", "DISCOVERY_AWAY"]);
      while (missing.size > 0) missing.delete(String(await each.reports(event).next()));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.all) each[Symbol.dispose]();
    await this.#proxy?.[Symbol.asyncDispose]();
    await this.cable[Symbol.asyncDispose]();
    await this.broker[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @param endsWhileDialling - whether its client, when closed, gives up a connection on which nobody has answered */
function describeBroker(start: () => Promise<Machines>, endsWhileDialling: boolean): void {
  let machines: Machines;

  before(async () => {
    machines = await start();
  });

  after(() => machines?.[Symbol.asyncDispose]());

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
    using shouting = new Shouting(clients.all[0]!);
    await delay(500);
    await machines.forget();
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

  // These tests end the processes, one each.
  describe("end in good order, and tell their clients,", () => {
    /** Its clients hear what it says last, and then that it ends. An unhandled rejection would end it with another code. */
    async function endsWhenTold(index: number, how: "SIGTERM" | "close"): Promise<void> {
      const { child } = machines.all[index]!;
      using witnesses = await machines.witnesses(index);
      const exited = once(child, "exit");
      if (how === "close") child.send("close");
      else child.kill(how);
      assert.deepEqual(await within(exited, "the process to end"), [0, null]);
      const farewell = how === "SIGTERM" ? ["farewell"] : [];
      for (const told of witnesses.told) assert.deepEqual(await told, [...farewell, "transport close"]);
    }

    it("when they drain while the broker hangs, and nobody has noticed", () => {
      machines.broker.stall();
      return endsWhenTold(0, "SIGTERM");
    });

    it("when they close while the broker hangs, and they know it", async () => {
      if (endsWhileDialling) {
        // They connect again, and nobody answers.
        machines.cable.cut();
        machines.cable.mend();
      }
      await machines.report("away", machines.all.slice(1, 2));
      await endsWhenTold(1, "close");
    });

    it("when they drain while there is no broker", async () => {
      await machines.broker.kill();
      await endsWhenTold(2, "SIGTERM");
    });
  });
}

/** A client that shouts numbers, from 0 on, at `RATE`. */
class Shouting implements Disposable {
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
    this[Symbol.dispose]();
    return this.#sent;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

describeWithNats("three machines over NATS", function () {
  this.timeout(60_000);
  describeBroker(async () => Machines.start(await NatsServer.start(), "natsPort"), false);
});

describeWithPostgres("three machines over PostgreSQL", function () {
  this.timeout(60_000);
  describeBroker(async () => Machines.start(await PostgresServer.start(), "postgresPort"), true);
});
