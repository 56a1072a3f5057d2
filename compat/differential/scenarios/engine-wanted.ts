// Corners in which ours is meant to be unlike the official engine.
import type { IncomingMessage } from "node:http";
import express from "express";
import type { Engine, EngineOptions } from "../../../test/support/engine/types.ts";
import { oldPayload } from "../engine-run.ts";
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;
const websocket = { transport: "websocket" } as const;
const upgrade = { transport: "upgrade" } as const;
const old = { allowEIO3: true };

onEngine("wanted: several messages while a poll waits", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  run.session.send("one");
  run.session.send("two");
  await answer;
  void peer.begin("next poll");
  await run.quiet();
});

onEngine(
  "wanted: silence after an upgrade, protocol 3",
  { ...upgrade, options: { ...old, pingInterval: 200, pingTimeout: 600 } },
  async (run) => {
    const peer = await run.polling("EIO=3&");
    const socket = await run.open("ws", peer.websocketQuery);
    socket.sendText("2probe");
    await run.saw("ws", "3probe");
    socket.sendText("5");
    await run.saw("engine", "upgrade to");
    await new Promise((resolve) => setTimeout(resolve, 1800));
  },
);

onEngine("wanted: bytes over JSONP, protocol 3", { ...polling, options: old }, async (run) => {
  const peer = await run.polling("EIO=3&j=0&");
  run.session.send(Buffer.from([1, 2, 255]));
  await peer.poll();
});

for (const [name, body] of Object.entries({
  "of an unknown type": [1, 2, 255, 9, 1],
  "that are longer than the payload": [1, 9, 255, 4, 1],
})) {
  onEngine(`wanted: packets of bytes ${name}, protocol 3`, { ...polling, options: old }, async (run) => {
    const peer = await run.polling("EIO=3&");
    await peer.post(Buffer.from(body));
    await peer.post(oldPayload("4after"));
  });
}

onEngine(
  "wanted: the heartbeat during an upgrade",
  { ...upgrade, options: { pingInterval: 200, pingTimeout: 400 } },
  async (run) => {
    const peer = await run.polling();
    const socket = await run.open("ws", peer.websocketQuery);
    socket.sendText("2probe");
    await run.saw("ws", "3probe");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    run.stop();
  },
);

onEngine(
  "wanted: a POST of very many packets",
  { ...polling, options: { maxHttpBufferSize: 25_000 } },
  async (run) => {
    const peer = await run.polling();
    await peer.post(Array.from({ length: 10_001 }, () => "6").join("\x1e"));
  },
);

for (const [name, id] of Object.entries({ "the id of another session": "the-same", "no id": "" })) {
  onEngine(`wanted: generateId gives ${name}`, polling, async (run) => {
    run.engine.generateId = () => id;
    await run.get("transport=polling");
    await run.get("transport=polling");
    run.note("clients", Object.keys(run.engine.clients), run.engine.clientsCount);
  });
}

// The official types have no `true`; the official server takes it.
onEngine(
  "wanted: compression that is on",
  { ...polling, options: { httpCompression: true as never } },
  async (run) => {
    const peer = await run.polling();
    run.session.send("short");
    await peer.poll({ headers: { "accept-encoding": "gzip" } });
  },
);

onEngine(
  "wanted: a message that must not be compressed",
  { ...websocket, options: { perMessageDeflate: { threshold: 0 } } },
  async (run) => {
    const headers = { "sec-websocket-extensions": "permessage-deflate" };
    await run.open("ws", "transport=websocket", { headers });
    await run.saw("ws", "text");
    run.session.send("not to be compressed", { compress: false });
    await run.saw("ws", "text", 2);
  },
);

onEngine(
  "wanted: an upgrade that is not allowed",
  { ...upgrade, options: { allowUpgrades: false } },
  async (run) => {
    const peer = await run.polling();
    const socket = await run.ws("ws", peer.websocketQuery);
    socket?.sendText("2probe");
    await run.quiet();
  },
);

onEngine(
  "wanted: what an engine has",
  { ...websocket, options: { transports: ["websocket"] } },
  async (run) => {
    const engine = run.engine as Engine & { upgrades(transport: string): string[] } & Record<string, unknown>;
    run.note("upgrades", engine.upgrades("polling"));
    for (const name of ["verify", "createTransport", "onWebSocket"])
      run.note("members", name, typeof engine[name]);
  },
);

interface Answering extends NodeJS.EventEmitter {
  statusCode: number;
  setHeader(name: string, value: string | string[]): void;
  getHeader(name: string): unknown;
  writeHead(status: number, headers?: Record<string, string>): { end(body?: string): void };
}

onEngine("wanted: the response of an upgrade", websocket, async (run) => {
  run.engine.use((request: IncomingMessage & { res?: unknown }, res, next) => {
    const response = res as Answering & Record<string, unknown>;
    for (const name of [
      "setHeader",
      "writeHead",
      "end",
      "getHeaders",
      "hasHeader",
      "flushHeaders",
      "appendHeader",
    ]) {
      run.note("members", name, typeof response[name]);
    }
    run.note("members", "res.req", response["req"] === request, "req.res", request.res === response);
    response.setHeader("X-Mine", "1");
    run.note("members", "by another case", response.getHeader("x-mine"));
    next();
  });
  await run.open("ws", "transport=websocket");
});

onEngine("wanted: a middleware answers an upgrade", websocket, async (run) => {
  run.engine.use((_, response) => (response as Answering).writeHead(418, { "x-mine": "1" }).end("tea"));
  await run.ws("ws", "transport=websocket");
});

onEngine("wanted: finish and close of the response of an upgrade", websocket, async (run) => {
  run.engine.use((_, res, next) => {
    const response = res as Answering;
    response.on("finish", () => run.note("response", "finish", response.statusCode));
    response.on("close", () => run.note("response", "close"));
    next();
  });
  const socket = await run.open("ws", "transport=websocket");
  await run.quiet();
  run.note("response", "the client leaves");
  socket.close(1000);
});

onEngine("wanted: several cookies on an upgrade", websocket, async (run) => {
  run.engine.use((_, response, next) => {
    (response as Answering).setHeader("set-cookie", ["a=1", "b=2"]);
    next();
  });
  await run.open("ws", "transport=websocket");
});

onEngine(
  "wanted: cookies of a middleware beside the engine's",
  { ...polling, options: { cookie: true } },
  async (run) => {
    run.engine.use((_, response, next) => {
      (response as Answering).setHeader("Set-Cookie", "mine=1");
      next();
    });
    await run.polling();
  },
);

onEngine("wanted: a middleware that throws nothing", polling, async (run) => {
  run.engine.use(() => {
    throw undefined;
  });
  await run.get("transport=polling");
});

onEngine("wanted: Express as a middleware of an upgrade", websocket, async (run) => {
  const app = express();
  app.use((_, response, next) => {
    response.setHeader("x-express", "1");
    next();
  });
  run.engine.use(app as unknown as Parameters<Engine["use"]>[0]);
  await run.ws("ws", "transport=websocket");
});

onEngine("wanted: the client goes while a middleware decides", polling, async (run) => {
  const waiting: (() => void)[] = [];
  run.engine.use((_, __, next) => {
    run.note("middleware", "asked");
    waiting.push(next);
  });
  const aborter = new AbortController();
  const request = run.get("transport=polling", { signal: aborter.signal }).catch(() => {});
  await run.saw("middleware", "asked");
  aborter.abort();
  await request;
  await run.quiet();
  waiting[0]!();
});

const cors: EngineOptions = { cors: { origin: "http://page.example" } };

onEngine("wanted: CORS on a refused upgrade", { ...websocket, options: cors }, async (run) => {
  await run.ws("ws", "transport=websocket&sid=unknown", { headers: { origin: "http://page.example" } });
});

onEngine("wanted: a buffer that is written into again, websocket", websocket, async (run) => {
  await run.open("ws", "transport=websocket");
  const counter = Buffer.alloc(1);
  for (let count = 1; count <= 3; count++) {
    counter[0] = count;
    run.session.send(counter);
  }
  await run.saw("ws", "binary", 3);
});

onEngine("wanted: a buffer that is written into again, polling", polling, async (run) => {
  const peer = await run.polling();
  const counter = Buffer.from([1]);
  run.session.send(counter);
  counter[0] = 2;
  await peer.poll();
});
