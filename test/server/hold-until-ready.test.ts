// Events that come while an async connection listener is still awaiting.
import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { onEveryTransport, pair } from "../support/server/clients.ts";
import { serverHosts } from "../support/server/hosts.ts";
import { openOldClient } from "../support/server/old-clients.ts";
import { failure, reporting } from "../support/server/on-error.ts";
import type { Socket } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { uncaught } from "../support/process/uncaught.ts";
import { rawPair } from "../support/server/wires.ts";
import { next } from "../support/waiting/events.ts";

const options = { holdUntilReady: true };

/** A `connection` listener that awaits before it registers its listeners; returns what goes on, and what is heard. */
function slowly(running: StartedServer): { proceed: (error?: Error) => void; heard: unknown[][] } {
  const heard: unknown[][] = [];
  let proceed = (_error?: Error): void => {};
  const decided = new Promise<void>((resolve, reject) => {
    proceed = (error) => (error === undefined ? resolve() : reject(error));
  });
  running.io.on("connection", async (socket) => {
    socket.on("disconnect", (reason) => heard.push(["disconnect", reason]));
    await decided;
    socket.on("n", (...args: unknown[]) => {
      const answer = args.at(-1);
      if (typeof answer === "function") answer("ok");
      heard.push(["n", ...args.filter((arg) => typeof arg !== "function")]);
    });
  });
  return { proceed: (error) => proceed(error), heard };
}

/** Resolves when all that the client has sent before is handled: another namespace has answered. */
async function arrived(
  running: StartedServer,
  {
    client,
  }: {
    client: {
      io: { socket(name: string): { once(event: string, listener: () => void): unknown; close(): unknown } };
    };
  },
): Promise<void> {
  running.io.of("/other");
  const other = client.io.socket("/other");
  await next(other, "connect");
  other.close();
}

onEveryHost("holdUntilReady", serverHosts, (host) => {
  onEveryTransport((_name, mode) => {
    it("holds events until the listener is ready, and hands them over in order", async () => {
      await using running = await host.start(options);
      const { proceed, heard } = slowly(running);
      const both = await pair(running, mode);
      both.client.emit("n", 1);
      both.client.emit("n", Buffer.from([2]));
      const answer = both.client.emitWithAck("n", 3);
      await arrived(running, both);
      assert.deepEqual(heard, []);
      proceed();
      assert.equal(await answer, "ok");
      assert.equal(await both.client.emitWithAck("n", 4), "ok");
      assert.deepEqual(heard, [
        ["n", 1],
        ["n", Buffer.from([2])],
        ["n", 3],
        ["n", 4],
      ]);
    });
  });

  it("lets answers through, which the listener may await", async () => {
    await using running = await host.start(options);
    const heard: unknown[] = [];
    const ready = new Promise<void>((resolve) => {
      running.io.on("connection", async (socket: Socket) => {
        heard.push(await socket.timeout(10_000).emitWithAck("who"));
        socket.on("n", (value) => (heard.push(value), resolve()));
      });
    });
    const client = running.client();
    client.on("who", (answer: (name: string) => void) => answer("me"));
    client.emit("n", 1);
    await ready;
    assert.deepEqual(heard, ["me", 1]);
  });

  it("hands over what came before the client left, then disconnects", async () => {
    await using running = await host.start(options);
    const { proceed, heard } = slowly(running);
    const { wire, socket } = await rawPair(running);
    const gone = next(socket, "disconnect");
    wire.sendTogether('42["n",1]', "41", '42["n",2]');
    const other = next(running.io.of("/other"), "connection");
    wire.sendText("40/other,");
    await other;
    assert.deepEqual(heard, []);
    proceed();
    await gone;
    assert.deepEqual(heard, [
      ["n", 1],
      ["disconnect", "client namespace disconnect"],
    ]);
  });

  it("waits for all listeners, and for none that returns no promise", async () => {
    await using running = await host.start(options);
    const { proceed, heard } = slowly(running);
    running.io.on("connection", async () => {});
    running.io.on("connection", () => "no promise");
    const both = await pair(running);
    both.client.emit("n", 1);
    await arrived(running, both);
    assert.deepEqual(heard, []);
    proceed();
    await both.client.emitWithAck("n", 2);
    assert.deepEqual(heard, [
      ["n", 1],
      ["n", 2],
    ]);
  });

  it("hands events over when the listener has failed, which io.onError() learns", async () => {
    await using running = await host.start(options);
    const { reported } = reporting(running);
    const heard: unknown[] = [];
    running.io.on("connection", (socket) => socket.on("n", (value) => heard.push(value)));
    const { proceed } = slowly(running);
    const both = await pair(running);
    both.client.emit("n", 1);
    await arrived(running, both);
    assert.deepEqual(heard, []);
    proceed(failure);
    assert.equal((await reported()).source, "connection");
    await arrived(running, both);
    assert.deepEqual(heard, [1]);
  });

  it("leaves the rejection of a listener unhandled if the application does not use io.onError()", async () => {
    await using running = await host.start(options);
    const { proceed, heard } = slowly(running);
    const both = await pair(running);
    const errors = uncaught(1);
    proceed(failure);
    assert.deepEqual(await errors, [failure]);
    assert.deepEqual(heard, []);
    assert.equal(both.socket.connected, true);
  });

  it("closes the connection if more than 1,000 packets wait", async () => {
    await using running = await host.start(options);
    const { heard } = slowly(running);
    const { wire, socket } = await rawPair(running);
    const gone = next<[string, Error & { code: string }]>(socket, "disconnect");
    wire.sendTogether(...Array.from({ length: 1001 }, (_, i) => `42["n",${i}]`));
    assert.equal((await gone)[1].code, "TOO_MANY_EARLY_PACKETS");
    assert.deepEqual(heard, [["disconnect", "forced close"]]);
  });

  it("forgets what waits when the connection ends", async () => {
    await using running = await host.start(options);
    const { proceed, heard } = slowly(running);
    const { wire, socket } = await rawPair(running);
    wire.sendText('42["n",1]');
    const gone = next(socket, "disconnect");
    wire.reset();
    await gone;
    proceed();
    await new Promise(setImmediate);
    assert.deepEqual(
      heard.map(([name]) => name),
      ["disconnect"],
    );
  });

  it("applies to clients of Socket.IO 2", async () => {
    await using running = await host.start({ ...options, allowEIO3: true });
    const { proceed, heard } = slowly(running);
    const client = openOldClient(running.url);
    running.closeWith(() => client.close());
    await next(client, "connect");
    const answer = new Promise((resolve) => client.emit("n", 1, resolve));
    await new Promise(setImmediate);
    assert.deepEqual(heard, []);
    proceed();
    assert.equal(await answer, "ok");
  });

  it("counts a namespace once for the limit while its events wait", async () => {
    await using running = await host.start({ ...options, limits: { namespacesPerConnection: 2 } });
    slowly(running);
    const both = await pair(running);
    await arrived(running, both);
    assert.equal(both.client.connected, true);
  });

  it("is off by default: events that come too early are lost, as officially", async () => {
    await using running = await host.start();
    const { proceed, heard } = slowly(running);
    const both = await pair(running);
    both.client.emit("n", 1);
    await arrived(running, both);
    proceed();
    await new Promise(setImmediate);
    await both.client.emitWithAck("n", 2);
    assert.deepEqual(heard, [["n", 2]]);
  });
});

/** The warnings of events without a listener while `body` runs. */
async function warningsOf(body: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = [];
  const onWarning = (warning: Error & { code?: string }): void => {
    if (warning.code === "TIDEWIRE_UNHEARD_EVENT") warnings.push(warning.message);
  };
  process.on("warning", onWarning);
  try {
    await body();
    await new Promise(setImmediate);
  } finally {
    process.off("warning", onWarning);
  }
  return warnings;
}

onEveryHost("a warning of events without a listener", serverHosts, (host) => {
  async function send(given: object, listen: (socket: Socket) => void = () => {}): Promise<string[]> {
    return warningsOf(async () => {
      await using running = await host.start(given);
      running.io.on("connection", listen);
      const both = await pair(running);
      for (const name of ["mistyped", "mistyped", "other", "heard"]) both.client.emit(name);
      await arrived(running, both);
    });
  }

  it("is printed once for each name", async () => {
    const warnings = await send({ warnOfUnheardEvents: true }, (socket) => socket.on("heard", () => {}));
    assert.deepEqual(
      warnings,
      ["mistyped", "other"].map(
        (name) =>
          `The event "${name}" arrived in the namespace "/" and was dropped: no listener is registered`,
      ),
    );
  });

  it("is on with holdUntilReady, but not in production", async () => {
    assert.equal((await send(options)).length, 3);
    assert.deepEqual(await send({ ...options, warnOfUnheardEvents: false }), []);
    const { NODE_ENV } = process.env;
    process.env["NODE_ENV"] = "production";
    try {
      assert.deepEqual(await send(options), []);
    } finally {
      if (NODE_ENV === undefined) delete process.env["NODE_ENV"];
      else process.env["NODE_ENV"] = NODE_ENV;
    }
  });

  it("is off by default, and where a catch-all listener hears them", async () => {
    assert.deepEqual(await send({}), []);
    assert.deepEqual(await send({ warnOfUnheardEvents: true }, (socket) => void socket.onAny(() => {})), []);
  });
});
