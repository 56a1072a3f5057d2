// `tidewire start` and its workers, as processes.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openClient } from "../support/server/started-server.ts";
import { scriptOf, Tidewire } from "../support/cli/tidewire.ts";
import { freePort } from "../support/hosts/free-port.ts";
import { chosen } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { connected } from "../support/server/clients.ts";
import { needUws } from "../support/uws/absent.ts";
import { closing } from "../support/waiting/closing.ts";
import { next } from "../support/waiting/events.ts";

const READY = /worker (\d) \(pid (\d+)\) is ready/;
const websocket = { transports: ["websocket"] };

interface Running extends AsyncDisposable {
  readonly tidewire: Tidewire;
  readonly port: number;
}

/** Starts the workers of an application; they may still be starting. */
async function start(
  script: string,
  args: readonly string[],
  own: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Running> {
  const port = await freePort();
  const tidewire = Tidewire.run(["start", ...args, scriptOf(script), "--", ...own], {
    PORT: String(port),
    ...env,
  });
  return { tidewire, port, [Symbol.asyncDispose]: () => tidewire[Symbol.asyncDispose]() };
}

/** What a client of a database needs: a port that accepts its connection. */
class Database implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
    });
  }

  static async start(): Promise<Database> {
    const database = new Database();
    await new Promise<void>((resolve) => database.#server.listen(0, "127.0.0.1", resolve));
    return database;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Opens clients until one of them has reached each of the workers, and returns their ids. */
async function pidsOf(port: number, count: number): Promise<Set<number>> {
  const pids = new Set<number>();
  for (let tries = 0; tries < 100 && pids.size < count; tries++) {
    const client = openClient(`http://127.0.0.1:${port}`, websocket);
    using _client = closing(() => client.close());
    await connected(client);
    pids.add((await client.emitWithAck("pid")) as number);
  }
  return pids;
}

for (const { name } of chosen(serverHosts)) {
  describe(`tidewire start [${name}]`, function () {
    this.timeout(60_000);
    before(() => void (name === "uws" && needUws()));

    it("runs the script several times on one port, and ends the workers on SIGTERM", async () => {
      await using running = await start("echo.ts", ["--workers", "2"], [name]);
      const { tidewire, port } = running;
      const ready = await tidewire.saysTimes(READY, 2);
      const where = name === "uws" ? "uWebSockets.js" : "node:http";
      for (const [text] of ready) assert.ok(tidewire.text.includes(`${text} on port ${port}, ${where}`));
      assert.deepEqual(await pidsOf(port, 2), new Set(ready.map(([, , pid]) => Number(pid))));
      const client = openClient(`http://127.0.0.1:${port}`, websocket);
      using _client = closing(() => client.close());
      await connected(client);
      const gone = next(client, "disconnect");
      tidewire.signal("SIGTERM");
      assert.deepEqual((await gone)[0], "transport close");
      assert.equal(await tidewire.ended, 0);
    });

    it("starts a worker again that ends, and leaves the others alone", async () => {
      await using running = await start("echo.ts", ["--workers", "2"], [name]);
      const { tidewire, port } = running;
      await tidewire.saysTimes(READY, 2);
      const clients = [0, 1].map(() => openClient(`http://127.0.0.1:${port}`, websocket));
      using _clients = closing(() => clients.forEach((client) => client.close()));
      await Promise.all(clients.map(connected));
      const [one, other] = clients as [(typeof clients)[0], (typeof clients)[0]];
      const pid = (await one.emitWithAck("pid")) as number;
      const isApart = (await other.emitWithAck("pid")) !== pid;
      const from = tidewire.lines.length;
      one.emit("crash");
      await tidewire.says(new RegExp(`pid ${pid}\\) has ended \\(code 7\\); another one starts now`));
      const [, , successor] = await tidewire.says(READY, from);
      assert.equal((await pidsOf(port, 2)).has(Number(successor)), true);
      assert.equal(other.connected, isApart);
    });

    it("replaces the workers one by one on SIGHUP; their clients connect again by themselves", async () => {
      await using running = await start("echo.ts", ["--workers", "2"], [name]);
      const { tidewire, port } = running;
      const old = (await tidewire.saysTimes(READY, 2)).map(([, , pid]) => Number(pid));
      const client = openClient(`http://127.0.0.1:${port}`, {
        ...websocket,
        reconnection: true,
        reconnectionDelay: 50,
      });
      using _client = closing(() => client.close());
      await connected(client);
      const from = tidewire.lines.length;
      const gone = next(client, "disconnect");
      tidewire.signal("SIGHUP");
      assert.deepEqual((await gone)[0], "transport close");
      await tidewire.says(/reload: done/);
      const [numbers, pids] = [1, 2].map((index) =>
        tidewire.find(READY, from).map((match) => Number(match[index])),
      ) as [number[], number[]];
      assert.deepEqual(numbers, [1, 2]);
      if (!client.connected) await next(client, "connect");
      assert.deepEqual(await pidsOf(port, 2), new Set(pids));
      assert.equal(
        pids.some((pid) => old.includes(pid)),
        false,
      );
      assert.deepEqual(tidewire.find(/has ended/), []);
    });
  });
}

describe("tidewire start", function () {
  this.timeout(60_000);

  it("ends with 1 and the error of a script that throws at once, which it does not start again", async () => {
    await using running = await start("throws.ts", ["--workers", "3"]);
    const { tidewire } = running;
    assert.equal(await tidewire.ended, 1);
    assert.equal(tidewire.find(/^\[1\] .*Error: no configuration/).length, 1);
    assert.equal(tidewire.find(/^\[[23]\]/).length, 0);
    assert.match(tidewire.text, /\[tidewire\] throws\.mjs did not start/);
  });

  it("ends a worker that never listens, and says what to do", async () => {
    await using running = await start("silent.ts", ["--ready-timeout", "2"]);
    const { tidewire } = running;
    assert.equal(await tidewire.ended, 1);
    assert.match(
      tidewire.text,
      /worker 1 \(pid \d+\) does not listen after 2 s and is ended: start a server of Tidewire, or call process\.send\("ready"\)/,
    );
  });

  it("waits longer and longer before it starts a worker again that ends soon", async () => {
    await using running = await start("short-lived.ts", ["--workers", "1"]);
    const { tidewire } = running;
    const ends = await tidewire.saysTimes(/has ended \(code 3\); another one starts (now|in [\d.]+ s)/, 4);
    assert.deepEqual(
      ends.slice(0, 4).map(([, when]) => when),
      ["now", "in 0.1 s", "in 0.2 s", "in 0.4 s"],
    );
  });

  it("kills a worker that does not end in time, and ends with 1", async () => {
    await using running = await start("stubborn.ts", [
      "--workers",
      "1",
      "--drain",
      "0",
      "--stop-timeout",
      "1",
    ]);
    const { tidewire } = running;
    await tidewire.says(/is busy for good/);
    tidewire.signal("SIGTERM");
    assert.equal(await tidewire.ended, 1);
    assert.match(tidewire.text, /worker 1 \(pid \d+\) was killed, because it did not end within 1 s/);
  });

  it("kills the workers on the second signal", async () => {
    await using running = await start("stubborn.ts", ["--workers", "1", "--stop-timeout", "60"]);
    const { tidewire } = running;
    await tidewire.says(/is busy for good/);
    tidewire.signal("SIGINT");
    await tidewire.says(/SIGINT: the workers end/);
    tidewire.signal("SIGINT");
    await tidewire.ended;
    assert.match(tidewire.text, /SIGINT again: the workers are killed/);
  });

  it("kills a worker on the second signal, too, that was replaced and has not ended", async () => {
    await using database = await Database.start();
    const args = ["--workers", "1", "--drain", "0", "--stop-timeout", "600"];
    await using running = await start("with-database.ts", args, [String(database.port), "keeps"]);
    const { tidewire } = running;
    await tidewire.says(READY);
    tidewire.signal("SIGHUP");
    await tidewire.says(/^\[1\] was told to end$/);
    tidewire.signal("SIGTERM");
    await tidewire.saysTimes(/^\[1\] was told to end$/, 2);
    tidewire.signal("SIGTERM");
    await tidewire.ended;
    assert.match(tidewire.text, /SIGTERM again: the workers are killed/);
    assert.doesNotMatch(tidewire.text, /the old workers go on/);
  });

  it("does not reload what has not started", async () => {
    await using running = await start("silent.ts", ["--ready-timeout", "1", "--workers", "1"]);
    const { tidewire } = running;
    await tidewire.says(/^\[1\] runs$/);
    tidewire.signal("SIGHUP");
    assert.equal(await tidewire.ended, 1);
    assert.deepEqual(tidewire.find(/reload/), []);
    assert.equal(tidewire.find(/^\[1\] runs$/).length, 1);
  });

  it("goes on when nobody reads any more what it prints", async () => {
    await using running = await start("echo.ts", ["--workers", "1", "--drain", "0"], ["node"]);
    const { tidewire, port } = running;
    await tidewire.says(READY);
    const client = openClient(`http://127.0.0.1:${port}`, {
      ...websocket,
      reconnection: true,
      reconnectionDelay: 50,
    });
    using _client = closing(() => client.close());
    await connected(client);
    tidewire.stopReading();
    // It says each time that the worker has ended, and that another one is ready.
    for (let count = 0; count < 2; count++) {
      const again = next(client, "connect");
      client.emit("crash");
      await again;
    }
    tidewire.signal("SIGTERM");
    assert.equal(await tidewire.ended, 0);
  });

  const canLimit = spawnSync("prlimit", ["--version"]).status === 0;
  const outOfFiles = "goes on without a worker that cannot be started, and tries again";
  if (canLimit)
    it(outOfFiles, async () => {
      await using running = await start("echo.ts", ["--workers", "2"], ["node"]);
      const { tidewire, port } = running;
      const pids = (await tidewire.saysTimes(READY, 2)).map(([, , pid]) => Number(pid));
      const client = openClient(`http://127.0.0.1:${port}`, websocket);
      using _client = closing(() => client.close());
      await connected(client);
      const served = (await client.emitWithAck("pid")) as number;
      const limit = (files: string): void =>
        void execFileSync("prlimit", [`--pid=${tidewire.pid}`, `--nofile=${files}:`]);
      limit("3");
      process.kill(
        pids.find((pid) => pid !== served)!,
        "SIGKILL",
      );
      await tidewire.saysTimes(/worker \d could not be started: the system allows no more .*starts in/, 2);
      tidewire.signal("SIGHUP");
      await tidewire.says(/reload: given up; the old workers go on/);
      assert.equal(await client.emitWithAck("pid"), served);
      limit("1024");
      await tidewire.saysTimes(READY, 3);
    });
  else it(`${outOfFiles} [needs prlimit]`);

  it("lets an application end itself by its own listener of SIGTERM", async () => {
    await using running = await start("with-own-end.ts", ["--workers", "1"]);
    const { tidewire } = running;
    await tidewire.says(READY);
    tidewire.signal("SIGTERM");
    assert.equal(await tidewire.ended, 0);
    assert.match(tidewire.text, /^\[1\] closes its database on SIGTERM$/m);
  });

  for (const [what, way, code, message] of [
    ["ends a worker that has no listener of SIGTERM", undefined, 0, undefined],
    ["lets a worker end that closes it on SIGTERM", "closes", 0, undefined],
    [
      "kills a worker in time that has a listener of SIGTERM and does not close it, and says why",
      "keeps",
      1,
      /worker 1 \(pid \d+\) was killed, because it did not end within 2 s: the script's listener of SIGTERM leaves something open, such as a connection to a database/,
    ],
  ] as const)
    it(`${what}, while the application is connected to a database`, async () => {
      await using database = await Database.start();
      const own = [String(database.port), ...(way === undefined ? [] : [way])];
      const limit = way === "keeps" ? 2 : 10;
      const args = ["--workers", "1", "--drain", "0", "--stop-timeout", String(limit)];
      await using running = await start("with-database.ts", args, own);
      const { tidewire } = running;
      await tidewire.says(READY);
      tidewire.signal("SIGTERM");
      if (way !== undefined) await tidewire.says(/^\[1\] was told to end$/);
      assert.equal(await tidewire.ended, code);
      assert.equal(tidewire.find(/^\[1\] has closed its database$/).length, way === "closes" ? 1 : 0);
      if (message === undefined) assert.deepEqual(tidewire.find(/was killed/), []);
      else await tidewire.says(message);
    });

  it("says why a worker does not start whose directory others can enter, and waits before it tries again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    using _folder = closing(() => rmSync(folder, { recursive: true }));
    await using running = await start("echo.ts", ["--workers", "2"], ["node"], { TMPDIR: folder });
    const { tidewire, port } = running;
    const pids = (await tidewire.saysTimes(READY, 2)).map(([, , pid]) => Number(pid));
    const client = openClient(`http://127.0.0.1:${port}`, websocket);
    using _client = closing(() => client.close());
    await connected(client);
    const served = (await client.emitWithAck("pid")) as number;
    const other = pids.find((pid) => pid !== served)!;
    const [own = ""] = readdirSync(folder).filter((name) => name.startsWith("tidewire-"));
    const directory = join(folder, own, "1");
    chmodSync(directory, 0o755);
    process.kill(other, "SIGKILL");
    const [line] = await tidewire.says(/^\[[12]\] .*other users can enter the directory .*$/);
    assert.ok(line.includes(`${directory}: give it the mode 0700`), line);
    const ends = await tidewire.saysTimes(/has ended \(code 1\); another one starts in ([\d.]+) s/, 3);
    assert.deepEqual(
      ends.slice(0, 3).map(([, seconds]) => seconds),
      ["0.1", "0.2", "0.4"],
    );
    assert.equal(client.connected, true);
    chmodSync(directory, 0o700);
    while ((await pidsOf(port, 2)).size < 2);
    assert.equal(client.connected, true);
  });

  it("takes its workers with it when it is killed", async () => {
    // It cannot remove its folder.
    const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    using _folder = closing(() => rmSync(folder, { recursive: true }));
    const env = { PORT: String(await freePort()), TMPDIR: folder };
    await using tidewire = Tidewire.run(["start", "--workers", "2", scriptOf("echo.ts")], env);
    const pids = (await tidewire.saysTimes(READY, 2)).map(([, , pid]) => Number(pid));
    tidewire.signal("SIGKILL");
    assert.equal(await tidewire.ended, "SIGKILL");
    const isRunning = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    while (pids.some(isRunning)) await delay(20);
  });

  for (const [line, before, says] of [
    ["tidewire start", "", /the shell of npm has ended|SIGTERM: the workers end/],
    ["exec tidewire start", "exec ", /SIGTERM: the workers end/],
  ] as const)
    it(`lets its clients go when npm start is ended, which runs ${line}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
      using _folder = closing(() => rmSync(folder, { recursive: true }));
      const port = await freePort();
      const args = ["start", "--workers", "1", "--drain", "0", scriptOf("echo.ts"), "--", "node"];
      await using tidewire = Tidewire.runByNpm(folder, before, args, { PORT: String(port) });
      await tidewire.says(READY);
      const client = openClient(`http://127.0.0.1:${port}`, websocket);
      using _client = closing(() => client.close());
      await connected(client);
      const gone = next(client, "disconnect");
      tidewire.signal("SIGTERM");
      await tidewire.says(says);
      assert.deepEqual((await gone)[0], "transport close");
      await tidewire.ended;
      assert.deepEqual(tidewire.find(/was killed/), []);
    });

  it("gives up a reload when a new worker does not start; the old ones go on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidewire-test-"));
    using _folder = closing(() => rmSync(folder, { recursive: true }));
    const flag = join(folder, "broken");
    await using running = await start("breakable.ts", ["--workers", "2"], [flag]);
    const { tidewire, port } = running;
    const old = (await tidewire.saysTimes(READY, 2)).map(([, , pid]) => Number(pid));
    writeFileSync(flag, "");
    tidewire.signal("SIGHUP");
    await tidewire.says(/reload: given up; the old workers go on/);
    assert.equal(tidewire.find(/Error: broken/).length, 1);
    assert.deepEqual(await pidsOf(port, 2), new Set(old));
  });

  it("leaves the threads and the children of an application alone", async () => {
    await using running = await start("environment.ts", ["--workers", "1"], ["--mine", "x"]);
    const { tidewire } = running;
    const seen = async (who: string): Promise<unknown> =>
      JSON.parse((await tidewire.says(new RegExp(`^\\[1\\] ${who} ({.*})$`)))[1]!) as unknown;
    assert.deepEqual(await seen("worker"), {
      isWorker: true,
      environment: ["TIDEWIRE_WORKER"],
      preloads: [],
      args: ["--mine", "x"],
    });
    assert.deepEqual(await seen("child"), {
      isWorker: false,
      environment: ["TIDEWIRE_WORKER"],
      preloads: [],
      args: ["forked"],
    });
    await tidewire.says(/^\[1\] thread false$/);
    await tidewire.says(READY);
  });

  for (const [args, message] of [
    [[], "name the script to run, such as: tidewire start server.js"],
    [["nowhere.js"], "there is no file"],
    [["--workers", "many", "server.js"], '--workers is auto, or a whole number from 1 to 1024, not "many"'],
  ] as const)
    it(`ends with 2 and a message for ${["start", ...args].join(" ")}`, async () => {
      await using tidewire = Tidewire.run(["start", ...args]);
      assert.equal(await tidewire.ended, 2);
      assert.ok(tidewire.text.includes(message), tidewire.text);
    });
});
