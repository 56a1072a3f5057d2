import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import type { EngineOptions } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { openWebSocket, PollingPeer } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

type AllowRequest = NonNullable<EngineOptions["allowRequest"]>;

const failure = new Error("the database is down");

const failing: [how: string, allowRequest: AllowRequest][] = [
  [
    "throws",
    () => {
      throw failure;
    },
  ],
  // It may be async, whatever its type says.
  ["rejects", () => Promise.reject(failure)],
  // Any promise, also one that is not an instance of this realm's class.
  [
    "rejects with a promise of another realm",
    () => runInNewContext("Promise.reject(failure)", { failure }) as void,
  ],
];

const BAD_REQUEST = '400 {"code":3,"message":"Bad request"}';

async function refusedPoll(server: StartedEngine): Promise<string> {
  const { status, body } = await server.client.get(server.path("transport=polling"));
  return `${status} ${body}`;
}

onEveryHost("engine: hooks that fail", engineHosts, (host) => {
  for (const [how, allowRequest] of failing) {
    host.it(`refuses a poll when allowRequest ${how}`, async () => {
      await using server = await host.start({ allowRequest });
      assert.equal(await refusedPoll(server), '403 {"code":4,"message":"Forbidden"}');
      const { code, context } = await server.nextError();
      assert.equal(code, 4);
      assert.deepEqual(context, { name: "ALLOW_REQUEST_FAILURE", error: failure });
      assert.equal(server.engine.clientsCount, 0);
    });

    host.it(`refuses a WebSocket when allowRequest ${how}`, async () => {
      await using server = await host.start({ allowRequest });
      const { status, body } = await server.client.refused(server.path("transport=websocket"));
      assert.equal(`${status} ${body}`, "400 Forbidden");
      assert.equal((await server.nextError()).context?.["error"], failure);
    });
  }

  host.it("uses the first of two answers of allowRequest", async () => {
    const allowRequest: AllowRequest = (_req, callback) => {
      callback(null, true);
      callback("no, wait", false);
    };
    await using server = await host.start({ allowRequest });
    await PollingPeer.open(server);
    await openWebSocket(server);
    assert.equal(server.engine.clientsCount, 2);
    assert.equal(server.errors.length, 0);
  });

  host.it("admits by an allowRequest that is async and calls back", async () => {
    const allowRequest = (async (_req: unknown, callback: (error: null, success: boolean) => void) => {
      await Promise.resolve();
      callback(null, true);
    }) as unknown as AllowRequest;
    await using server = await host.start({ allowRequest });
    await PollingPeer.open(server);
    await openWebSocket(server);
  });

  host.it("reads allowRequest when a request comes", async () => {
    await using server = await host.start();
    server.engine.opts.allowRequest = (_req, callback) => callback("closed for today", false);
    assert.equal(await refusedPoll(server), '403 {"code":4,"message":"closed for today"}');
  });

  host.it("answers code 3 when generateId throws", async () => {
    await using server = await host.start();
    server.engine.generateId = () => {
      throw failure;
    };
    assert.equal(await refusedPoll(server), BAD_REQUEST);
    const { code, context } = await server.nextError();
    assert.equal(code, 3);
    assert.deepEqual(context, { name: "ID_GENERATION_ERROR", error: failure });
    assert.equal(server.engine.clientsCount, 0);
  });
  for (const [how, generateId] of [
    ["throws", () => fail()],
    ["rejects", () => Promise.reject(failure)],
  ] as const) {
    host.it(`refuses a WebSocket when generateId ${how}`, async () => {
      await using server = await host.start();
      server.engine.generateId = generateId;
      const { status, body } = await server.client.refused(server.path("transport=websocket"));
      assert.equal(`${status} ${body}`, "400 Bad request");
      assert.deepEqual((await server.nextError()).context, { name: "ID_GENERATION_ERROR", error: failure });
    });
  }
  host.it("refuses the id of another session, and leaves that session alone", async () => {
    await using server = await host.start();
    server.engine.generateId = () => "same";
    const first = await PollingPeer.open(server);
    assert.equal(await refusedPoll(server), BAD_REQUEST);
    const { context = {} } = await server.nextError();
    assert.equal(context["name"], "ID_GENERATION_ERROR");
    const { message, code } = context["error"] as Error & { code: string };
    assert.deepEqual([message, code], ["generateId() returned the id of another session", "ID_IN_USE"]);
    const upgrade = await server.client.refused(server.path("transport=websocket"));
    assert.equal(upgrade.status, 400);
    assert.equal(server.engine.clientsCount, 1);
    assert.equal(server.engine.clients["same"], first.session);
    first.session.send("still here");
    assert.equal(await first.poll(), "4still here");
  });

  host.it("refuses the second of two handshakes that get one id at the same time", async () => {
    await using server = await host.start();
    const waiting: ((id: string) => void)[] = [];
    const both = new Promise<void>((resolve) => {
      server.engine.generateId = () =>
        new Promise((give) => {
          if (waiting.push(give) === 2) resolve();
        });
    });
    const polls = [refusedPoll(server), refusedPoll(server)];
    await both;
    for (const give of waiting) give("same");
    const answers = (await Promise.all(polls)).sort();
    assert.match(answers[0]!, /^200 0\{"sid":"same"/);
    assert.equal(answers[1], BAD_REQUEST);
    assert.equal(server.engine.clientsCount, 1);
  });

  host.it("refuses an invalid id", async () => {
    await using server = await host.start();
    for (const made of [undefined, null, "", {}, Promise.resolve(undefined)]) {
      server.engine.generateId = () => made as string;
      assert.equal(await refusedPoll(server), BAD_REQUEST);
      assert.ok((await server.nextError()).context?.["error"] instanceof TypeError);
    }
    assert.equal(server.engine.clientsCount, 0);
  });

  host.it("accepts an id again once its session has ended", async () => {
    await using server = await host.start();
    server.engine.generateId = () => "same";
    for (let index = 0; index < 2; index++) {
      const { session } = await PollingPeer.open(server);
      session.close(true);
      await server.closed(session);
    }
    assert.equal(server.engine.clientsCount, 0);
  });
});

function fail(): never {
  throw failure;
}
