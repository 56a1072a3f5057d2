import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { Server as Engine } from "@tidewire/engine";
import type { Server } from "socket.io";
import { Adapter } from "socket.io-adapter";
import { closing, owning } from "../support/waiting/closing.ts";
import { KeptConnection } from "../support/wire/kept-connection.ts";
import { NetworkClient } from "../support/wire/network-client.ts";
import { within } from "../support/waiting/queue.ts";

import { connected, pair } from "../support/server/clients.ts";
import { serve } from "../support/server/serve.ts";
import { StartedServer } from "../support/server/started-server.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts, serverHostsAndApp } from "../support/server/hosts.ts";
import { socketio } from "../support/server/socketio.ts";

import type { WireResponse } from "../support/wire/client.ts";

const POLLING = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET = "/socket.io/?EIO=4&transport=websocket";
const HANDSHAKE = `GET ${POLLING} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

function clientOf(running: StartedServer): NetworkClient {
  const client = new NetworkClient(running.port);
  running.closeWith(() => client.close());
  return client;
}

function refusal({ status, headers, body }: WireResponse): string {
  return `${status} ${headers.connection} ${body}`;
}

/** An adapter that takes until `release()` to close. */
function slowAdapter(): { adapter: typeof Adapter; release: () => void } {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  class SlowAdapter extends Adapter {
    override close(): Promise<void> {
      return released;
    }
  }
  return { adapter: SlowAdapter, release: () => release() };
}

/** A hook that holds back each handshake. */
type Hook = (running: StartedServer) => { asked: Promise<unknown>; goOn: () => void };

const hooks: Record<string, Hook> = {
  "a middleware": ({ io }) => {
    let goOn = (): void => {};
    const asked = new Promise<void>((resolve) => {
      io.engine.use((_req: unknown, _res: unknown, next: () => void) => {
        goOn = next;
        resolve();
      });
    });
    return { asked, goOn: () => goOn() };
  },
  allowRequest: ({ io }) => {
    let goOn = (): void => {};
    const asked = new Promise<void>((resolve) => {
      io.engine.opts.allowRequest = (_req: unknown, callback: (error: null, ok: boolean) => void) => {
        goOn = () => callback(null, true);
        resolve();
      };
    });
    return { asked, goOn: () => goOn() };
  },
  generateId: ({ io }) => {
    let goOn = (): void => {};
    const asked = new Promise<void>((resolve) => {
      io.engine.generateId = () =>
        new Promise<string>((given) => {
          goOn = () => given("late");
          resolve();
        });
    });
    return { asked, goOn: () => goOn() };
  },
};

onEveryHost("during io.close()", serverHostsAndApp, (host) => {
  it("a handshake is refused, and its connection closed", async () => {
    const { adapter, release } = slowAdapter();
    await using running = await host.start({ adapter });
    using _adapter = closing(release);
    const closed = running.io.close();
    const answer = await clientOf(running).get(POLLING, { headers: { connection: "keep-alive" } });
    assert.equal(refusal(answer), "503 close ");
    assert.equal(running.io.engine.clientsCount, 0);
    release();
    await within(closed, "the server to close");
  });

  it("a handshake of protocol 3 is refused likewise", async () => {
    const { adapter, release } = slowAdapter();
    await using running = await host.start({ adapter, allowEIO3: true });
    using _adapter = closing(release);
    const closed = running.io.close();
    const path = "/socket.io/?EIO=3&transport=polling";
    const answer = await clientOf(running).get(path, { headers: { connection: "keep-alive" } });
    assert.equal(refusal(answer), "503 close ");
    release();
    await within(closed, "the server to close");
  });

  it("a WebSocket is refused", async () => {
    const { adapter, release } = slowAdapter();
    await using running = await host.start({ adapter });
    using _adapter = closing(release);
    const closed = running.io.close();
    const answer = await clientOf(running).refused(WEBSOCKET);
    assert.equal(refusal(answer), "503 close ");
    release();
    await within(closed, "the server to close");
  });

  it("a POST is refused before its body arrives", async () => {
    const { adapter, release } = slowAdapter();
    await using running = await host.start({ adapter });
    using _adapter = closing(release);
    using kept = await KeptConnection.open(running.port);
    const closed = running.io.close();
    kept.write(`POST ${POLLING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n40`);
    await within(kept.closed, "the server to close the connection");
    assert.match(kept.received, /^HTTP\/1\.1 503 /);
    release();
    await within(closed, "the server to close");
  });

  it("the files of the client are no longer served", async () => {
    const { adapter, release } = slowAdapter();
    await using running = await host.start({ adapter });
    using _adapter = closing(release);
    const closed = running.io.close();
    const answer = await clientOf(running).get("/socket.io/socket.io.js");
    assert.equal(answer.status, 503);
    release();
    await within(closed, "the server to close");
  });

  it("requests of remaining sessions are served", async () => {
    const { adapter, release } = slowAdapter();
    await using running = await host.start({ adapter });
    using _adapter = closing(release);
    const client = clientOf(running);
    const { sid } = JSON.parse((await client.get(POLLING)).body.slice(1)) as { sid: string };
    const closed = running.io.close();
    assert.equal((await client.post(`${POLLING}&sid=${sid}`, "40")).body, "ok");
    release();
    await within(closed, "the server to close");
  });
});

onEveryHost("io.close() of a server that was closed before", serverHostsAndApp, (host) => {
  type Report = (which: string) => (error?: Error) => void;

  const closings: Readonly<Record<string, (io: Server, report: Report) => Promise<unknown>>> = {
    afterwards: async (io, report) => {
      await io.close(report("first"));
      await io.close(report("second"));
    },
    meanwhile: (io, report) => Promise.all([io.close(report("first")), io.close(report("second"))]),
  };

  for (const [title, close] of Object.entries(closings))
    for (const isStopped of [false, true])
      it(`${title} calls back at the end, with an error${isStopped ? ", also after stopListening()" : ""}`, async () => {
        await using running = await host.start();
        if (isStopped) (running.io.engine as unknown as Engine).stopListening();
        const calls: string[] = [];
        await within(
          close(running.io, (which) => (error) => {
            calls.push(`${which}: ${error === undefined ? "closed" : (error as NodeJS.ErrnoException).code}`);
          }),
          "the server to close",
        );
        assert.deepEqual(calls, ["first: closed", "second: ERR_SERVER_NOT_RUNNING"]);
      });
});

onEveryHost("io.close() with pending requests", serverHosts, (host) => {
  for (const [name, hook] of Object.entries(hooks)) {
    it(`${name} that accepts a handshake later opens no session`, async () => {
      await using running = await host.start();
      const { asked, goOn } = hook(running);
      const answer = clientOf(running).get(POLLING, { headers: { connection: "keep-alive" } });
      await within(asked, "the hook to be asked");
      const closed = running.io.close();
      // Closed once this is done.
      await Promise.resolve();
      await new Promise(setImmediate);
      goOn();
      assert.equal(refusal(await within(answer, "an answer")), "503 close ");
      assert.equal(running.io.engine.clientsCount, 0);
      await within(closed, "the server to close");
    });
  }

  it("ends even if a hook never decides on a request", async () => {
    await using running = await host.start();
    const { asked } = hooks["allowRequest"]!(running);
    using kept = await KeptConnection.open(running.port);
    kept.write(HANDSHAKE);
    await within(asked, "the hook to be asked");
    await within(running.io.close(), "the server to close");
    await within(kept.closed, "the connection to end");
  });

  it("ends even if a hook never decides on a WebSocket", async () => {
    await using running = await host.start();
    const { asked } = hooks["allowRequest"]!(running);
    using kept = await KeptConnection.open(running.port);
    const headers =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    kept.write(`GET ${WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    await within(asked, "the hook to be asked");
    await within(running.io.close(), "the server to close");
    await within(kept.closed, "the connection to end");
  });

  it("a handshake that is finished after it opens no session", async () => {
    await using running = await host.start();
    const { asked, goOn } = hooks["allowRequest"]!(running);
    const held = clientOf(running).get(POLLING);
    await within(asked, "the hook to be asked");
    using kept = await KeptConnection.open(running.port);
    kept.write(HANDSHAKE.slice(0, 20));
    const closed = running.io.close();
    await new Promise(setImmediate);
    kept.write(HANDSHAKE.slice(20));
    await within(kept.closed, "the connection to end");
    assert.match(kept.received, /^HTTP\/1\.1 503 [^]*connection: close/i);
    goOn();
    assert.equal((await within(held, "an answer")).status, 503);
    await within(closed, "the server to close");
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("a handshake behind a POST that is finished after it opens no session", async () => {
    await using running = await host.start();
    using kept = await KeptConnection.open(running.port);
    // Refused as soon as its head is there: a session begins with a GET.
    kept.write(`POST ${POLLING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n40`);
    await kept.saw("Bad handshake method");
    const closed = running.io.close();
    await new Promise(setImmediate);
    kept.write(`40${HANDSHAKE}`);
    await within(kept.closed, "the connection to end");
    assert.doesNotMatch(kept.received, /"sid"/);
    await within(closed, "the server to close");
    assert.equal(running.io.engine.clientsCount, 0);
  });

  it("ends even if a client never finishes its POST", async () => {
    await using running = await host.start();
    using kept = await KeptConnection.open(running.port);
    kept.write(`POST ${POLLING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n40`);
    await kept.saw("Bad handshake method");
    await within(running.io.close(), "the server to close");
    await within(kept.closed, "the connection to end");
  });

  it("ends even if a client answers no close frame", async () => {
    await using running = await host.start();
    using kept = await KeptConnection.open(running.port);
    const headers =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    kept.write(`GET ${WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
    await kept.saw('"sid"');
    await within(running.io.close(), "the server to close");
    await within(kept.closed, "the connection to end");
  });
});

interface Application extends AsyncDisposable {
  readonly running: StartedServer;
  readonly response: Promise<ServerResponse>;
}

/** A server of node:http whose application holds the responses of `/app`. */
async function besideAnApplication(): Promise<Application> {
  let take!: (response: ServerResponse) => void;
  const response = new Promise<ServerResponse>((resolve) => (take = resolve));
  const httpServer = createServer((_, res) => take(res));
  // So that a connection which only waits for a next request does not end by itself.
  httpServer.keepAliveTimeout = 3_600_000;
  const running = await serve(new socketio.Server(httpServer), httpServer);
  return owning({ running, response }, running);
}

const APPLICATION = "GET /app HTTP/1.1\r\nHost: localhost\r\n\r\n";

describe("io.close() beside requests of the application, on node:http", () => {
  it("ends, and leaves them open", async () => {
    await using application = await besideAnApplication();
    const { running, response } = application;
    using kept = await KeptConnection.open(running.port);
    kept.write(APPLICATION);
    const stream = await within(response, "the request");
    stream.writeHead(200, { "content-type": "text/event-stream", connection: "close" });
    stream.write("data: 1\n\n");
    await kept.saw("data: 1");
    const { httpServer } = running.io;
    const httpClosed = once(httpServer, "close");
    await within(running.io.close(), "io.close()");
    assert.equal(httpServer.listening, false);
    stream.write("data: 2\n\n");
    await kept.saw("data: 2");
    assert.equal(stream.destroyed, false);
    stream.end();
    await within(httpClosed, "the HTTP server to close");
  });

  it("lets them finish", async () => {
    await using application = await besideAnApplication();
    const { running, response } = application;
    using kept = await KeptConnection.open(running.port);
    kept.write(APPLICATION);
    const answer = await within(response, "the request");
    const closed = running.io.close();
    await new Promise(setImmediate);
    answer.writeHead(200, { connection: "close" });
    answer.end("finished");
    await within(closed, "the server to close");
    await within(kept.closed, "the connection to end");
    assert.match(kept.received, /finished/);
  });

  it("refuses a handshake behind one of them", async () => {
    await using application = await besideAnApplication();
    const { running, response } = application;
    using kept = await KeptConnection.open(running.port);
    kept.write("POST /app HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n12");
    (await within(response, "the request")).end("first");
    await kept.saw("first");
    const closed = running.io.close();
    await new Promise(setImmediate);
    kept.write(`34${HANDSHAKE}`);
    await within(kept.closed, "the connection to end");
    assert.match(kept.received, /first[^]*HTTP\/1\.1 503 [^]*connection: close/i);
    await within(closed, "the server to close");
  });

  it("closes a connection that has become idle", async () => {
    await using application = await besideAnApplication();
    const { running, response } = application;
    using kept = await KeptConnection.open(running.port);
    kept.write(APPLICATION);
    const answer = await within(response, "the request");
    const closed = running.io.close();
    const httpClosed = once(running.io.httpServer, "close");
    await new Promise(setImmediate);
    answer.end("finished");
    await within(closed, "io.close()");
    await within(httpClosed, "the HTTP server to close");
  });
});

describe("after io.close()", () => {
  interface Ended extends AsyncDisposable {
    readonly io: Server;
    readonly httpServer: ReturnType<typeof createServer>;
    readonly port: number;
  }

  async function ended(): Promise<Ended> {
    const httpServer = createServer();
    const io = new socketio.Server(httpServer);
    const running = await serve(io, httpServer);
    await pair(running, { transports: ["websocket"] });
    await within(io.close(), "the server to close");
    return owning({ io, httpServer, port: running.port }, running);
  }

  for (const transports of [["polling"], ["websocket"]] as ("polling" | "websocket")[][]) {
    it(`the HTTP server may listen again, and is served over ${transports[0]}`, async () => {
      await using before = await ended();
      const { io, httpServer, port } = before;
      await new Promise<void>((resolve) => httpServer.listen(port, resolve));
      await using running = new StartedServer(io, { port });
      await connected(running.client({ transports }));
    });

    it(`io.attach() serves another HTTP server over ${transports[0]}`, async () => {
      await using before = await ended();
      const { io } = before;
      const another = createServer();
      io.attach(another);
      await using running = await serve(io, another);
      await connected(running.client({ transports }));
      await within(io.close(), "the server to close");
      assert.equal(another.listening, false);
    });
  }

  it("io.listen() serves another port", async () => {
    await using before = await ended();
    const { io } = before;
    io.listen(0);
    const { port } = io.httpServer.address() as { port: number };
    await using running = new StartedServer(io, { port });
    await connected(running.client());
    await within(io.close(), "the server to close");
    assert.equal(io.httpServer.listening, false);
  });

  it("io.attach() may take the same HTTP server", async () => {
    await using before = await ended();
    const { io, httpServer, port } = before;
    io.attach(httpServer);
    assert.equal(httpServer.listenerCount("upgrade"), 1);
    await new Promise<void>((resolve) => httpServer.listen(port, resolve));
    await using running = new StartedServer(io, { port });
    await connected(running.client({ transports: ["websocket"] }));
  });
});
