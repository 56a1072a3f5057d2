// A worker of `tidewire start` that dies, or stands still, while its clients talk.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { io as connect } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { freePort } from "../support/hosts/free-port.ts";
import { scriptOf, Tidewire } from "../support/cli/tidewire.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { connected } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { needUws } from "../support/uws/absent.ts";
import { PATIENCE } from "../support/waiting/queue.ts";

const WORKERS = 3;
const CLIENTS = 30;
const READY = /worker \d \(pid (\d+)\) is ready/;
/** Longer than the others wait for a worker. `STOPPED_SECONDS=10` is the long form. */
const STOPPED = Number(process.env["STOPPED_SECONDS"] ?? 4) * 1000;

/** A client that talks without a break. */
class Talker implements Disposable {
  readonly socket: Socket;
  /** The worker that had its session when it was asked. */
  pid = 0;
  losses = 0;
  answers = 0;

  constructor(url: string, transport: string) {
    const options = { reconnectionDelay: 100, reconnectionDelayMax: 200 };
    this.socket = connect(url, { forceNew: true, transports: [transport], ...options });
    this.socket.on("disconnect", () => this.losses++);
    this.socket.on("connect", () => this.#talk(this.socket.id));
  }

  async start(): Promise<void> {
    await connected(this.socket);
    this.pid = (await this.socket.emitWithAck("pid")) as number;
  }

  #talk(id: string | undefined): void {
    this.socket.emit("echo", "word", () => {
      this.answers++;
      if (this.socket.id === id) setTimeout(() => this.#talk(id), 5);
    });
  }

  /** Resolves when it is answered by another word than before. */
  async talksOn(): Promise<void> {
    const { answers } = this;
    const end = Date.now() + PATIENCE;
    while (this.answers === answers) {
      assert.ok(Date.now() < end, "a client is not answered any more");
      await delay(10);
    }
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

for (const { name: host } of chosen(serverHosts)) {
  describe(`a worker under load [${host}]`, function () {
    this.timeout(90_000);

    let tidewire: Tidewire;
    let url = "";

    before(async () => {
      if (host === "uws") needUws();
      const port = await freePort();
      const args = ["start", "--workers", String(WORKERS), scriptOf("echo.ts"), "--", host];
      tidewire = Tidewire.run(args, { PORT: String(port) });
      url = `http://127.0.0.1:${port}`;
      await tidewire.saysTimes(READY, WORKERS);
    });

    after(async () => {
      await tidewire?.[Symbol.asyncDispose]();
    });

    for (const transport of ["websocket", "polling"] as const) {
      it(`that is killed takes nobody else with it, and its clients come back over ${transport}`, async () => {
        const pid = pidOfFirst(tidewire);
        using talkers = await talking(url, transport);
        const victims = talkers.all.filter((talker) => talker.pid === pid);
        const others = talkers.all.filter((talker) => talker.pid !== pid);
        const from = tidewire.lines.length;
        process.kill(pid, "SIGKILL");
        await tidewire.says(/has ended \(SIGKILL\); another one starts/, from);
        await Promise.all(talkers.all.map((talker) => talker.talksOn()));
        await tidewire.says(READY, from);
        assert.ok(victims.every(({ losses }) => losses > 0));
        // A poll may have been on a connection to the one that was killed.
        if (transport === "websocket") assert.ok(others.every(({ losses }) => losses === 0));
      });
    }

    it(`that stands still for ${STOPPED / 1000} s leaves the others alone, and then goes on`, async () => {
      const pid = pidOfFirst(tidewire);
      using talkers = await talking(url, "websocket");
      process.kill(pid, "SIGSTOP");
      await delay(STOPPED);
      const others = talkers.all.filter((talker) => talker.pid !== pid);
      await Promise.all(others.map((talker) => talker.talksOn()));
      process.kill(pid, "SIGCONT");
      await Promise.all(talkers.all.map((talker) => talker.talksOn()));
      // The heartbeat of the clients is longer: those of the worker have waited.
      assert.deepEqual(
        talkers.all.map(({ losses }) => losses),
        talkers.all.map(() => 0),
      );
    });
  });
}

/** The process that is the first worker now. */
function pidOfFirst(tidewire: Tidewire): number {
  return Number(tidewire.find(/worker 1 \(pid (\d+)\) is ready/).at(-1)![1]);
}

/** Clients on all workers that talk. */
async function talking(
  url: string,
  transport: string,
): Promise<Disposable & { readonly all: readonly Talker[] }> {
  const all = Array.from({ length: CLIENTS }, () => new Talker(url, transport));
  await Promise.all(all.map((talker) => talker.start()));
  return { all, [Symbol.dispose]: () => all.forEach((talker) => talker[Symbol.dispose]()) };
}
