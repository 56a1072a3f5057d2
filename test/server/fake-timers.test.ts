import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mock } from "node:test";
import { closing } from "../support/waiting/closing.ts";

import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { openClient } from "../support/server/started-server.ts";
import { transports } from "../support/server/clients.ts";
import { needUws } from "../support/uws/absent.ts";

const ENVIRONMENTS = ["uws", "node"] as const;

onEveryHost("server: fake timers of a test", serverHosts, (host) => {
  afterEach(() => mock.timers.reset());

  for (const [name, mode] of Object.entries(transports)) {
    it(`connects, and answers over ${name}, while node:test has mocked the timers`, async () => {
      await using running = await host.start();
      const { io } = running;
      io.on("connection", (socket) => socket.on("echo", (value, ack) => ack(value)));
      mock.timers.enable({ apis: ["setImmediate", "setInterval"] });
      const one = running.client(mode);
      await next(one, "connect");
      assert.equal(await one.emitWithAck("echo", "hi"), "hi");
    });
  }

  it("times out an ack with the mocked time", async () => {
    await using running = await host.start();
    const { io } = running;
    const connection = next<[Socket]>(io, "connection");
    running.client({ transports: ["websocket"] });
    const [socket] = await connection;
    mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
    const outcomes: (string | undefined)[] = [];
    socket.timeout(10_000).emit("unheard", (error: Error | null) => outcomes.push(error?.message));
    io.timeout(10_000).emit("unheard", (error: Error | null) => outcomes.push(error?.message));
    mock.timers.tick(9999);
    assert.deepEqual(outcomes, []);
    mock.timers.tick(1);
    assert.deepEqual(outcomes, ["operation has timed out", "operation has timed out"]);
  });
});

onEveryHost("server: without the globals of Node", serverHosts, ({ name }) => {
  if (!ENVIRONMENTS.includes(name as "uws")) return;

  it("connects, answers, pings and times out", async () => {
    if (name === "uws") needUws();
    const child = fork(new URL("../support/processes/bare-server.ts", import.meta.url), [name], {
      execArgv: ["--import=tsx/esm", "--conditions=@tidewire/source"],
    });
    using _child = closing(() => child.kill());
    const [port] = (await once(child, "message")) as [number];
    const client = openClient(`http://127.0.0.1:${port}`);
    const outcome = next(client, "outcome");
    const alive = next(client, "alive");
    await next(client, "connect");
    const bytes = Buffer.from("bytes");
    assert.deepEqual(await client.emitWithAck("echo", { bytes }), { bytes });
    assert.equal((await outcome)[0], "operation has timed out");
    await alive;
  });
});
