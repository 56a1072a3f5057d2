// Relayed WebSockets and forwarded polling for a while, at a low and at a high rate. `SOAK_SECONDS=1800` is the long form.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { freePort } from "../support/hosts/free-port.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { ClusteredProcesses } from "../support/processes/clustered-process.ts";
import { memoryOf } from "../support/processes/memory-of.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { next } from "../support/waiting/events.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 5);
/** How long an answer may take on a busy machine, in ms. Longer is a stall. */
const PATIENCE = 5000;
/** How much a process may grow once its clients are there, in bytes. */
const GROWTH = 64 * 2 ** 20;
/** An answer of this size is more than the credit of a relayed WebSocket. */
const LARGE = "x".repeat(400_000);

const isChosen = chosen(serverHosts).some(({ name }) => name === "uws") && whyNoUws === undefined;

(isChosen ? describe : describe.skip)(`${SECONDS} s of traffic between processes [uws]`, function () {
  this.timeout((SECONDS + 60) * 1000);

  it("has no stall, loses no client, and keeps the memory of the processes bounded", async () => {
    using cluster = new ClusteredProcesses(await freePort());
    // Bound early, sessions stay where they began, and most WebSockets are relayed.
    const processes = await cluster.start(["uws", "uws", "uws"], { bind: "early" });
    using clients = new Clients();
    for (const transports of [["polling", "websocket"], ["polling"]])
      for (const pause of [500, 500, 500, 500, 20, 20]) clients.add(cluster.url, transports, pause);
    await clients.connected();
    const end = performance.now() + SECONDS * 1000;
    const traffic = clients.talkUntil(end);
    // What grows by the first traffic, such as buffers and compiled code, does not grow on.
    await Promise.race([traffic, delay(SECONDS * 200)]);
    const before = processes.map(({ child }) => memoryOf(child.pid!));
    await traffic;
    const growths = processes.map(({ child }, index) => memoryOf(child.pid!) - before[index]!);
    assert.deepEqual(clients.losses, []);
    assert.ok(Math.max(...growths) < GROWTH, `grown by ${growths.join(", ")} bytes`);
    if (process.env["SOAK_SECONDS"] !== undefined) clients.report(growths);
  });
});

class Clients implements Disposable {
  readonly losses: string[] = [];
  readonly #all: { readonly socket: Socket; readonly pause: number }[] = [];
  #answers = 0;
  #slowest = 0;

  /** @param pause - how long it waits after each answer, in ms */
  add(url: string, transports: string[], pause: number): void {
    const socket = connect(url, { forceNew: true, reconnection: false, transports });
    socket.on("disconnect", (reason) => this.losses.push(reason));
    socket.on("connect_error", (error) => this.losses.push(error.message));
    this.#all.push({ socket, pause });
  }

  async connected(): Promise<void> {
    await Promise.all(this.#all.map(({ socket }) => next(socket, "node")));
  }

  /** Each client asks for echoes until then: mostly short ones, and at times a large one. */
  async talkUntil(end: number): Promise<void> {
    await Promise.all(
      this.#all.map(async ({ socket, pause }) => {
        for (let count = 0; performance.now() < end; count++) {
          const value = count % 50 === 0 ? LARGE : count;
          const begun = performance.now();
          assert.equal(await socket.timeout(PATIENCE).emitWithAck("echo", value), value);
          this.#slowest = Math.max(this.#slowest, performance.now() - begun);
          this.#answers++;
          await delay(pause);
        }
      }),
    );
  }

  report(growths: readonly number[]): void {
    const grown = growths.map((growth) => `${(growth / 2 ** 20).toFixed(1)} MiB`).join(", ");
    const slowest = `the slowest after ${Math.round(this.#slowest)} ms`;
    process.stdout.write(`      ${this.#answers} answers, ${slowest}; grown by ${grown}\n`);
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#all) socket.disconnect();
  }
}
