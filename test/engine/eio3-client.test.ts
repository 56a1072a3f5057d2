import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openOldEngineClient } from "../support/server/old-clients.ts";
import type { OldClientOptions, OldEngineClient } from "../support/server/old-clients.ts";
import { received, until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import type { Session } from "../support/engine/types.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

const modes: Record<string, OldClientOptions> = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  "an upgrade": { transports: ["polling", "websocket"] },
};

interface Connection {
  client: OldEngineClient;
  session: Session;
  /** What the client received, in order. */
  inbox: unknown[];
}

async function connect(server: StartedEngine, options: OldClientOptions): Promise<Connection> {
  const client = openOldEngineClient(server.url.replace("http", "ws"), options);
  const inbox: unknown[] = [];
  client.on("message", (data: unknown) => inbox.push(data));
  await next(client, "open");
  const session = await server.nextSession();
  if (options.transports?.length === 2) {
    await until(() => session.upgraded && client.transport.name === "websocket", "the upgrade");
  }
  return { client, session, inbox };
}

function next(client: OldEngineClient, event: string): Promise<unknown[]> {
  const come = new Promise<unknown[]>((resolve) => {
    client.once(event, (...args) => resolve(args));
  });
  return within(come, `the event ${event}`);
}

const texts = [
  "plain",
  "é€",
  "😀 emoji 👩‍👩‍👧",
  "\u2028\u2029",
  "line\nline\\nline",
  '{"json":"\\n"}',
  "x".repeat(50_000),
];
const bytes = Buffer.from([0, 1, 2, 4, 0x7f, 0x80, 0xff]);

onEveryHost("engine: engine.io-client 3", engineHosts, (host) => {
  for (const [mode, options] of Object.entries(modes)) {
    const test = (title: string, body: (server: StartedEngine) => Promise<void>, extra = {}): void =>
      host.it(`${title}, over ${mode}`, { needs: "tcp" }, async () => {
        await using server = await host.start({ allowEIO3: true, ...extra });
        await body(server);
      });

    test("opens a session", async (server) => {
      const { client, session } = await connect(server, options);
      assert.equal(client.id, session.id);
      assert.equal(session.protocol, 3);
      assert.equal(session.transport.name, client.transport.name);
      client.close();
      assert.equal((await server.closed(session)).reason, "transport close");
    });

    test("sends text whole and in order", async (server) => {
      const { client, session } = await connect(server, options);
      const messages = received(session);
      for (const text of texts) client.send(text);
      await until(() => messages.length === texts.length, "all messages");
      assert.deepEqual(messages, texts);
      client.close();
    });

    test("receives text whole and in order", async (server) => {
      const { client, session, inbox } = await connect(server, options);
      for (const text of texts) session.send(text);
      await until(() => inbox.length === texts.length, "all messages");
      assert.deepEqual(inbox, texts);
      client.close();
    });

    test("exchanges binary and text in order", async (server) => {
      const { client, session, inbox } = await connect(server, options);
      const messages = received(session);
      const sent = ["before", bytes, "between 😀", Buffer.alloc(0), Buffer.alloc(20_000, 7), "after"];
      for (const data of sent) client.send(data);
      await until(() => messages.length === sent.length, "all messages");
      assert.deepEqual(messages, sent);
      for (const data of sent) session.send(data);
      await until(() => inbox.length === sent.length, "all messages back");
      assert.deepEqual(inbox, sent);
      client.close();
    });

    test(
      "keeps its session by sending pings",
      async (server) => {
        const { client, session } = await connect(server, options);
        let heartbeats = 0;
        session.on("heartbeat", () => heartbeats++);
        let pongs = 0;
        client.on("pong", () => pongs++);
        await until(() => heartbeats >= 3 && pongs >= 3, "three heartbeats");
        assert.equal(session.readyState, "open");
        assert.equal(client.readyState, "open");
        client.close();
      },
      { pingInterval: 60, pingTimeout: 2_000 },
    );

    test("sees the server close the session", async (server) => {
      const { client, session } = await connect(server, options);
      session.send("last words");
      const closed = next(client, "close");
      const said = next(client, "message");
      session.close();
      assert.deepEqual(await said, ["last words"]);
      assert.equal((await closed)[0], "transport close");
      assert.equal((await server.closed(session)).reason, "forced close");
    });

    test(
      "gets an error if its protocol is not allowed",
      async (server) => {
        const client = openOldEngineClient(server.url.replace("http", "ws"), options);
        const [error] = await next(client, "error");
        const { message, type } = error as Error & { type: string };
        assert.equal(type, "TransportError");
        assert.match(message, /^(xhr poll|websocket) error$/);
        assert.equal((await server.nextError()).code, 5);
        assert.equal(server.engine.clientsCount, 0);
      },
      { allowEIO3: false },
    );
  }

  host.it("loses and repeats nothing while it upgrades", { needs: "tcp" }, async () => {
    await using server = await host.start({ allowEIO3: true });
    const client = openOldEngineClient(server.url.replace("http", "ws"), modes["an upgrade"]);
    const inbox: unknown[] = [];
    client.on("message", (data: unknown) => inbox.push(data));
    const session = await server.nextSession();
    const messages = received(session);
    const expected: string[] = [];
    for (let index = 0; !session.upgraded || index < 100; index++) {
      expected.push(`m${index}`);
      session.send(`m${index}`);
      client.send(`m${index}`);
      await new Promise(setImmediate);
    }
    await until(() => inbox.length >= expected.length && messages.length >= expected.length, "all messages");
    assert.deepEqual(inbox, expected);
    assert.deepEqual(messages, expected);
    client.close();
  });
});
