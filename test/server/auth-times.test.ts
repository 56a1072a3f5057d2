// The exact times at which credentials end, with a clock that the test moves.
import assert from "node:assert/strict";
import type { AuthError, ExpiryOptions, Server, Socket } from "@tidewire/server";
import { testServer } from "@tidewire/testing";
import type { TestServer, TestServerOptions } from "@tidewire/testing";
import type { Socket as ClientSocket } from "socket.io-client";

interface Joined {
  readonly server: TestServer;
  readonly client: ClientSocket;
  readonly socket: Socket;
  /** What either side learns, with the time since the date was set. */
  readonly log: unknown[][];
  /** Sets the date. */
  expireIn(ms: number, options?: ExpiryOptions<Socket>): void;
  [Symbol.asyncDispose](): Promise<void>;
}

async function join(options: TestServerOptions = {}): Promise<Joined> {
  const log: unknown[][] = [];
  let start = 0;
  const note = (...entry: unknown[]): void => void log.push([server.clock.now() - start, ...entry]);
  let socket!: Socket;
  const server: TestServer = await testServer(
    (io: Server) => {
      io.on("connection", (joined) => {
        socket = joined;
        joined.on("disconnect", (reason, description?: AuthError) => {
          note("server", reason, description?.code, (description?.cause as Error | undefined)?.message);
        });
      });
    },
    { clock: "manual", pingInterval: 10_000_000, ...options },
  );
  await server.clock.advance(1_700_000_000_000 % 60_000);
  const client = await server.connect();
  client.on("auth:expiring", (warning: { expiresAt: number; expiresIn: number }) => {
    note("expiring", warning.expiresAt - start, warning.expiresIn);
  });
  client.on("auth:ended", (end: unknown) => note("ended", end));
  client.on("disconnect", (reason) => note("client", reason));
  await server.settled();
  return {
    server,
    client,
    socket,
    log,
    expireIn(ms, given) {
      start = server.clock.now();
      socket.expiresAt(start + ms, given);
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const expired = { code: "AUTH_EXPIRED", message: "the credentials have expired" };

/** The end of a socket, as both sides see it. */
function endAt(time: number, cause?: string): unknown[][] {
  return [
    [time, "server", "server namespace disconnect", "AUTH_EXPIRED", cause],
    [time, "ended", expired],
    [time, "client", "io server disconnect"],
  ];
}

describe("the end of credentials, in time", () => {
  it("warns a minute ahead, and disconnects at the date", async () => {
    await using joined = await join();
    const { server, log } = joined;
    joined.expireIn(600_000);
    await server.clock.advance(539_999);
    assert.deepEqual(log, []);
    await server.clock.advance(1);
    assert.deepEqual(log.splice(0), [[540_000, "expiring", 600_000, 60_000]]);
    await server.clock.advance(59_999);
    assert.deepEqual(log, []);
    await server.clock.advance(1);
    assert.deepEqual(log, endAt(600_000));
  });

  it("warns as early as asked, or not at all", async () => {
    await using joined = await join();
    const { server, log } = joined;
    joined.expireIn(100_000, { warn: 5000 });
    await server.clock.advance(95_000);
    assert.deepEqual(log.splice(0), [[95_000, "expiring", 100_000, 5000]]);
    joined.expireIn(100_000, { warn: 0 });
    await server.clock.advance(100_000);
    assert.deepEqual(log, endAt(100_000));
  });

  it("warns when half of the time is over if the date is near", async () => {
    await using joined = await join();
    const { server, log } = joined;
    joined.expireIn(1001);
    await server.clock.advance(501);
    assert.deepEqual(log, [[501, "expiring", 1001, 500]]);
  });

  it("replaces the date, and can take it back", async () => {
    await using joined = await join();
    const { server, log } = joined;
    joined.expireIn(10_000, { warn: 0 });
    joined.expireIn(20_000, { warn: 0 });
    await server.clock.advance(15_000);
    assert.deepEqual(log, []);
    joined.expireIn(Infinity);
    await server.clock.advance(1_000_000);
    assert.deepEqual(log, []);
    joined.expireIn(3000, { warn: 0 });
    await server.clock.advance(3000);
    assert.deepEqual(log, endAt(3000));
  });

  it("disconnects soon if the date is over, with no warning", async () => {
    await using joined = await join();
    const { server, log } = joined;
    joined.expireIn(-1);
    assert.deepEqual(log, []);
    await server.clock.advance(1);
    assert.deepEqual(log, endAt(1));
  });

  it("asks for the new date once, at the warning, and goes on with it", async () => {
    await using joined = await join();
    const { server, client, log } = joined;
    client.on("auth:refresh", (answer: (lifetime: number) => void) => answer(100_000));
    const asked: number[] = [];
    joined.expireIn(100_000, {
      warn: 10_000,
      async refresh(socket) {
        asked.push(server.clock.now());
        const lifetime = await socket.emitWithAck("auth:refresh");
        return new Date(server.clock.now() + lifetime);
      },
    });
    const start = server.clock.now();
    await server.clock.advance(1_000_000);
    assert.deepEqual(
      asked.map((time) => time - start),
      [90_000, 180_000, 270_000, 360_000, 450_000, 540_000, 630_000, 720_000, 810_000, 900_000, 990_000],
    );
    assert.deepEqual(new Set(log.map(([, event]) => event)), new Set(["expiring"]));
  });

  it("does not ask all the time if new credentials live shorter than the warning", async () => {
    await using joined = await join();
    const { server } = joined;
    let asked = 0;
    joined.expireIn(1000, {
      refresh() {
        asked++;
        return server.clock.now() + 1000;
      },
    });
    await server.clock.advance(10_000);
    assert.equal(asked, 20);
    assert.equal(joined.socket.connected, true);
  });

  it("disconnects at the date if refresh rejects, throws, returns nothing or nonsense, or takes too long", async () => {
    const ways: [refresh: () => unknown, cause: string | undefined][] = [
      [() => Promise.reject(new Error("no token")), "no token"],
      [
        () => {
          throw new Error("thrown");
        },
        "thrown",
      ],
      [() => undefined, undefined],
      [async () => null, undefined],
      [() => new Date(NaN), "expected a Date or a number of ms since 1970, got Invalid Date"],
      [() => "tomorrow", "expected a Date or a number of ms since 1970, got tomorrow"],
      [() => new Promise(() => {}), undefined],
    ];
    for (const [refresh, cause] of ways) {
      await using joined = await join();
      joined.expireIn(10_000, { warn: 1000, refresh: refresh as () => undefined });
      await joined.server.clock.advance(9999);
      assert.deepEqual(joined.log.splice(0), [[9000, "expiring", 10_000, 1000]]);
      await joined.server.clock.advance(1);
      assert.deepEqual(joined.log, endAt(10_000, cause));
    }
  });

  it("ignores a new date that comes after another was set, or after the end", async () => {
    await using joined = await join();
    const { server, log } = joined;
    let answer = (_date: number): void => {};
    const refresh = (): Promise<number> => new Promise((resolve) => (answer = resolve));
    joined.expireIn(10_000, { warn: 1000, refresh });
    await server.clock.advance(9000);
    log.length = 0;
    joined.expireIn(5000, { warn: 1000, refresh });
    answer(server.clock.now() + 1_000_000);
    await server.clock.advance(5000);
    assert.deepEqual(log.splice(0, 1), [[4000, "expiring", 5000, 1000]]);
    assert.deepEqual(log, endAt(5000));
    answer(server.clock.now() + 1_000_000);
    await server.clock.advance(10_000);
    assert.equal(log.length, 3);
  });

  it("says nothing to a socket that has left, and holds it no longer", async () => {
    await using joined = await join();
    const { server, socket, log } = joined;
    joined.expireIn(10_000);
    joined.client.disconnect();
    await server.settled();
    log.length = 0;
    socket.expiresAt(server.clock.now() + 1000);
    await server.clock.advance(20_000);
    assert.deepEqual(log, []);
    assert.equal(server.io._expiries?.timeOf(socket), undefined);
  });

  it("lets a client live on whose refresh comes by an event of its own", async () => {
    await using joined = await join();
    const { server, client, socket, log } = joined;
    socket.on("auth:refresh", (lifetime: number) => void socket.expiresAt(server.clock.now() + lifetime));
    client.on("auth:expiring", () => client.emit("auth:refresh", 600_000));
    joined.expireIn(600_000);
    await server.clock.advance(600_000);
    assert.equal(socket.connected, true);
    assert.equal(log.length, 1);
    await server.clock.advance(2_000_000);
    assert.equal(socket.connected, true);
  });

  it("ends each of many sockets at its own date", async () => {
    await using joined = await join();
    const { server } = joined;
    const left: [string | undefined, number][] = [];
    const dates = Array.from({ length: 50 }, (_, i) => 1000 + ((i * 7919) % 5000));
    for (const date of dates) {
      const client = await server.connect();
      const socket = server.io.sockets.sockets.get(client.id!)!;
      socket.expiresAt(server.clock.now() + date, { warn: 0 });
      const due = server.clock.now() + date;
      socket.on("disconnect", () => left.push([socket.id, server.clock.now() - due]));
    }
    await server.clock.advance(7000);
    assert.equal(left.length, 50);
    assert.deepEqual(new Set(left.map(([, late]) => late)), new Set([0]));
  });
});

describe("a date set before the socket has joined", () => {
  it("counts from when it joins, and refuses the client if it is over", async () => {
    let lifetime = 5000;
    let decide = (): void => {};
    await using server = await testServer(
      (io: Server) => {
        io.use((socket, next) => {
          socket.expiresAt(Date.now() + lifetime, { warn: 1000 });
          decide = next;
        });
      },
      { clock: "manual" },
    );
    const heard: unknown[] = [];
    const client = server.client("/");
    for (const event of ["connect", "auth:expiring", "auth:ended", "disconnect"]) {
      client.on(event, () => heard.push(event));
    }
    client.on("connect_error", (error: Error & { data?: unknown }) =>
      heard.push([error.message, error.data]),
    );
    client.connect();
    await server.clock.advance(4500);
    decide();
    await server.clock.advance(0);
    assert.deepEqual(heard.splice(0), ["connect"]);
    await server.clock.advance(249);
    assert.deepEqual(heard, []);
    await server.clock.advance(1);
    assert.deepEqual(heard.splice(0), ["auth:expiring"]);
    await server.clock.advance(250);
    assert.deepEqual(heard.splice(0), ["auth:ended", "disconnect"]);

    client.connect();
    await server.clock.advance(5000);
    decide();
    await server.clock.advance(0);
    assert.deepEqual(heard.splice(0), [["the credentials have expired", { code: "AUTH_EXPIRED" }]]);

    lifetime = -1000;
    client.connect();
    await server.settled();
    decide();
    await server.settled();
    assert.deepEqual(heard, [["the credentials have expired", { code: "AUTH_EXPIRED" }]]);
  });
});

describe("invalid dates and options", () => {
  it("throw", async () => {
    await using joined = await join();
    const { socket } = joined;
    for (const date of [NaN, -Infinity, new Date(NaN), "2030-01-01" as never, undefined as never]) {
      assert.throws(() => socket.expiresAt(date), { name: "TypeError", code: "INVALID_DATE" });
    }
    const invalid = { code: "INVALID_OPTION" };
    assert.throws(() => socket.expiresAt(0, { warn: -1 }), { ...invalid, option: "warn" });
    assert.throws(() => socket.expiresAt(0, { refresh: false as never }), { ...invalid, option: "refresh" });
    await joined.server.clock.advance(1000);
    assert.equal(socket.connected, true);
  });
});
