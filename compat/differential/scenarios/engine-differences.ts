// Intended differences from the official engine.
import type { IncomingMessage } from "node:http";
import express from "express";
import type { Engine, EngineOptions } from "../../../test/support/engine/types.ts";
import { oldPayload } from "../engine-run.ts";
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;
const websocket = { transport: "websocket" } as const;
const upgrade = { transport: "upgrade" } as const;
const old = { allowEIO3: true };

onEngine("difference: several messages while a poll is pending", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  run.session.send("one");
  run.session.send("two");
  await answer;
  void peer.begin("next poll");
  await run.quiet();
});

onEngine(
  "difference: no ping after an upgrade, protocol 3",
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

onEngine("difference: binary data over JSONP, protocol 3", { ...polling, options: old }, async (run) => {
  const peer = await run.polling("EIO=3&j=0&");
  run.session.send(Buffer.from([1, 2, 255]));
  await peer.poll();
});

for (const [name, body] of Object.entries({
  "of an unknown type": [1, 2, 255, 9, 1],
  "longer than the payload": [1, 9, 255, 4, 1],
})) {
  onEngine(`difference: a binary packet ${name}, protocol 3`, { ...polling, options: old }, async (run) => {
    const peer = await run.polling("EIO=3&");
    await peer.post(Buffer.from(body));
    await peer.post(oldPayload("4after"));
  });
}

onEngine(
  "difference: the heartbeat during an upgrade",
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
  "difference: a POST of 10,001 packets",
  { ...polling, options: { maxHttpBufferSize: 25_000 } },
  async (run) => {
    const peer = await run.polling();
    await peer.post(Array.from({ length: 10_001 }, () => "6").join("\x1e"));
  },
);

for (const [name, id] of Object.entries({ "the id of another session": "the-same", "an empty id": "" })) {
  onEngine(`difference: generateId returns ${name}`, polling, async (run) => {
    run.engine.generateId = () => id;
    await run.get("transport=polling");
    await run.get("transport=polling");
    run.note("clients", Object.keys(run.engine.clients), run.engine.clientsCount);
  });
}

// the official types do not allow `true`, but the official server does
onEngine(
  "difference: httpCompression is true",
  { ...polling, options: { httpCompression: true as never } },
  async (run) => {
    const peer = await run.polling();
    run.session.send("short");
    await peer.poll({ headers: { "accept-encoding": "gzip" } });
  },
);

onEngine(
  "difference: a message with compress: false",
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
  "difference: an upgrade with allowUpgrades: false",
  { ...upgrade, options: { allowUpgrades: false } },
  async (run) => {
    const peer = await run.polling();
    const socket = await run.ws("ws", peer.websocketQuery);
    socket?.sendText("2probe");
    await run.quiet();
  },
);

onEngine(
  "difference: members of the engine",
  { ...websocket, options: { transports: ["websocket"] } },
  async (run) => {
    const engine = run.engine as Engine & { upgrades(transport: string): string[] } & Record<string, unknown>;
    run.note("upgrades", engine.upgrades("polling"));
    for (const name of ["verify", "createTransport"]) run.note("members", name, typeof engine[name]);
  },
);

onEngine("difference: a WebSocket that the application has accepted is refused", websocket, async (run) => {
  await run.handedOver("ws", "transport=websocket&sid=unknown");
  await run.saw("ws", "end");
});

interface Answering extends NodeJS.EventEmitter {
  statusCode: number;
  setHeader(name: string, value: string | string[]): void;
  getHeader(name: string): unknown;
  writeHead(status: number, headers?: Record<string, string>): { end(body?: string): void };
}

onEngine("difference: members of the response of an upgrade", websocket, async (run) => {
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

onEngine("difference: a middleware responds to an upgrade", websocket, async (run) => {
  run.engine.use((_, response) => (response as Answering).writeHead(418, { "x-mine": "1" }).end("tea"));
  await run.ws("ws", "transport=websocket");
});

onEngine("difference: finish and close events of the response of an upgrade", websocket, async (run) => {
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

onEngine("difference: several cookies on an upgrade", websocket, async (run) => {
  run.engine.use((_, response, next) => {
    (response as Answering).setHeader("set-cookie", ["a=1", "b=2"]);
    next();
  });
  await run.open("ws", "transport=websocket");
});

onEngine(
  "difference: cookies of a middleware and of the engine",
  { ...polling, options: { cookie: true } },
  async (run) => {
    run.engine.use((_, response, next) => {
      (response as Answering).setHeader("Set-Cookie", "mine=1");
      next();
    });
    await run.polling();
  },
);

onEngine("difference: a middleware throws undefined", polling, async (run) => {
  run.engine.use(() => {
    throw undefined;
  });
  await run.get("transport=polling");
});

onEngine("difference: Express as a middleware for an upgrade", websocket, async (run) => {
  const app = express();
  app.use((_, response, next) => {
    response.setHeader("x-express", "1");
    next();
  });
  run.engine.use(app as unknown as Parameters<Engine["use"]>[0]);
  await run.ws("ws", "transport=websocket");
});

onEngine("difference: the client disconnects while a middleware is pending", polling, async (run) => {
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

onEngine("difference: CORS on a refused upgrade", { ...websocket, options: cors }, async (run) => {
  await run.ws("ws", "transport=websocket&sid=unknown", { headers: { origin: "http://page.example" } });
});

onEngine("difference: a reused buffer, websocket", websocket, async (run) => {
  await run.open("ws", "transport=websocket");
  const counter = Buffer.alloc(1);
  for (let count = 1; count <= 3; count++) {
    counter[0] = count;
    run.session.send(counter);
  }
  await run.saw("ws", "binary", 3);
});

onEngine("difference: a reused buffer, polling", polling, async (run) => {
  const peer = await run.polling();
  const counter = Buffer.from([1]);
  run.session.send(counter);
  counter[0] = 2;
  await peer.poll();
});

onEngine("difference: new sessions after engine.close()", websocket, async (run) => {
  await run.open("ws one", "transport=websocket");
  run.engine.close();
  await run.saw("ws one", "end");
  await run.get("transport=polling");
  await run.ws("ws two", "transport=websocket");
});
