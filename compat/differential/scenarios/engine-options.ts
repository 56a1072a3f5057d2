// Options, hooks and headers of an engine.
import type { IncomingMessage } from "node:http";
import type { EngineOptions } from "../../../test/support/engine/types.ts";
import type { EngineRun } from "../engine-run.ts";
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;
const websocket = { transport: "websocket" } as const;
const origin = { origin: "http://page.example" };

/** Opens a session over long-polling, and polls a first message. */
async function handshake(run: EngineRun): Promise<void> {
  const peer = await run.polling();
  run.session.send("hello");
  await peer.poll();
}

for (const [name, options] of Object.entries<EngineOptions>({
  "timeouts and size limit": { pingInterval: 1234, pingTimeout: 567, maxHttpBufferSize: 89_000 },
  "numbers as strings": { pingInterval: "1234", pingTimeout: "567", maxHttpBufferSize: "89000" } as never,
  "polling only": { transports: ["polling"] },
  "a path": { path: "/elsewhere" },
  "a path with a trailing slash": { path: "/elsewhere/" },
  "an initialPacket": { initialPacket: "welcome" },
  "a binary initialPacket": { initialPacket: Buffer.from([1, 2]) },
  "custom ids": {},
  "a cookie": { cookie: true },
  "a named cookie": { cookie: { name: "sid" } },
  "a cookie with all attributes": {
    cookie: {
      name: "sid",
      path: "/x",
      httpOnly: false,
      sameSite: "strict",
      maxAge: 60,
      domain: "page.example",
    },
  },
  "a secure cookie": { cookie: { name: "sid", secure: true, sameSite: "none" } },
})) {
  onEngine(`options: ${name}`, { ...polling, options }, async (run) => {
    if (name === "custom ids") {
      let count = 0;
      run.engine.generateId = (request: IncomingMessage) => `${request.method}-${++count}`;
    }
    await handshake(run);
  });
}

onEngine(
  "options: an initialPacket over a WebSocket",
  { ...websocket, options: { initialPacket: "welcome" } },
  async (run) => {
    await run.open("ws", "transport=websocket");
    await run.saw("ws", "welcome");
  },
);

onEngine("options: a cookie over a WebSocket", { ...websocket, options: { cookie: true } }, async (run) => {
  await run.open("ws", "transport=websocket");
});

onEngine("options: WebSocket only", { ...websocket, options: { transports: ["websocket"] } }, async (run) => {
  await run.get("transport=polling");
  await run.open("ws", "transport=websocket");
});

onEngine(
  "options: polling only, with a WebSocket request",
  { ...websocket, options: { transports: ["polling"] } },
  async (run) => {
    await run.ws("ws", "transport=websocket");
  },
);

onEngine("options: asynchronous ids", polling, async (run) => {
  run.engine.generateId = () => Promise.resolve("later-id");
  await handshake(run);
});

onEngine("options: generateId rejects", polling, async (run) => {
  run.engine.generateId = () => Promise.reject(new Error("no id"));
  await run.get("transport=polling");
});

for (const [name, cors] of Object.entries<EngineOptions["cors"]>({
  "any origin": { origin: "*" },
  "one origin, with credentials": { origin: "http://page.example", credentials: true },
  "another origin": { origin: "http://other.example" },
  "a list of origins": { origin: ["http://other.example", "http://page.example"] },
  "a pattern": { origin: /page\.example$/ },
  "the origin of the request": { origin: true },
  "no origin": { origin: false },
  "all options": {
    origin: "http://page.example",
    methods: ["GET", "POST"],
    allowedHeaders: ["x-mine"],
    exposedHeaders: ["x-theirs"],
    credentials: true,
    maxAge: 60,
    optionsSuccessStatus: 200,
  },
})) {
  onEngine(`cors: ${name}`, { ...polling, options: { cors: cors! } }, async (run) => {
    const peer = await run.polling("", { headers: origin });
    await peer.post("4hi", { headers: origin });
    run.session.send("hi");
    await peer.poll({ headers: origin });
    const asked = { "access-control-request-method": "POST", "access-control-request-headers": "x-asked" };
    await run.http("OPTIONS", "transport=polling", { headers: { ...origin, ...asked }, lane: "preflight" });
    await run.get("transport=polling&sid=unknown", { headers: origin, lane: "refused" });
    await run.get("transport=polling", { lane: "without origin" });
  });
}

onEngine("cors: over a WebSocket", { ...websocket, options: { cors: { origin: "*" } } }, async (run) => {
  await run.open("ws", "transport=websocket", { headers: origin });
});

for (const [name, allowRequest] of Object.entries<NonNullable<EngineOptions["allowRequest"]>>({
  allows: (_, answer) => answer(null, true),
  "allows asynchronously": (_, answer) => void setTimeout(answer, 10, null, true),
  refuses: (_, answer) => answer(null, false),
  "refuses with a message": (_, answer) => answer("not you", false),
  "refuses asynchronously": (_, answer) => void setTimeout(answer, 10, "not now", false),
  "refuses an origin": (request, answer) => answer(null, request.headers.origin === undefined),
})) {
  const options = { allowRequest };
  onEngine(`allowRequest: ${name}, polling`, { ...polling, options }, async (run) => {
    await run.get("transport=polling");
    await run.get("transport=polling", { headers: origin });
  });
  onEngine(`allowRequest: ${name}, websocket`, { ...websocket, options }, async (run) => {
    await run.ws("ws", "transport=websocket");
    await run.ws("with an origin", "transport=websocket", { headers: origin });
  });
}

onEngine("headers: events over long-polling", polling, async (run) => {
  for (const event of ["initial_headers", "headers"]) {
    run.engine.on(event, (headers: Record<string, string>, request: IncomingMessage) => {
      run.note("headers", event, request.method ?? "", { ...headers });
      headers[`x-${event.replace("_", "-")}`] = "yes";
    });
  }
  const peer = await run.polling();
  await peer.post("4hi");
  run.session.send("hi");
  await peer.poll();
});

onEngine("headers: events over a WebSocket", websocket, async (run) => {
  for (const event of ["initial_headers", "headers"]) {
    run.engine.on(event, (headers: Record<string, string>, request: IncomingMessage) => {
      run.note("headers", event, request.method ?? "", { ...headers });
      headers[`x-${event.replace("_", "-")}`] = "yes";
    });
  }
  await run.open("ws", "transport=websocket");
});

interface Answering {
  setHeader(name: string, value: string): void;
  writeHead(status: number): { end(body?: string): void };
}

onEngine("middleware: adds a header", polling, async (run) => {
  run.engine.use((_, response, next) => {
    (response as Answering).setHeader("x-mine", "1");
    next();
  });
  const peer = await run.polling();
  await peer.post("4hi");
});

onEngine("middleware: adds a header to an upgrade", websocket, async (run) => {
  run.engine.use((_, response, next) => {
    (response as Answering).setHeader("x-mine", "1");
    next();
  });
  await run.open("ws", "transport=websocket");
});

onEngine("middleware: refuses", polling, async (run) => {
  run.engine.use((_, __, next) => next(new Error("no")));
  await run.get("transport=polling");
  await run.get("transport=polling&sid=unknown");
});

onEngine("middleware: refuses an upgrade", websocket, async (run) => {
  run.engine.use((_, __, next) => next(new Error("no")));
  await run.ws("ws", "transport=websocket");
});

onEngine("middleware: sends its own response", polling, async (run) => {
  run.engine.use((_, response) => (response as Answering).writeHead(418).end("tea"));
  await run.get("transport=polling");
});

onEngine("middleware: several, in order", polling, async (run) => {
  for (const name of ["one", "two", "three"]) {
    run.engine.use((request, _, next) => {
      run.note("middlewares", name, request.method ?? "", request.url ?? "");
      next();
    });
  }
  const peer = await run.polling();
  await peer.post("4hi");
});

const long = "long ".repeat(1000);

for (const [name, options] of Object.entries<EngineOptions>({
  "by default": {},
  disabled: { httpCompression: false },
  "above a threshold": { httpCompression: { threshold: 10_000 } },
})) {
  onEngine(`compression: ${name}`, { ...polling, options }, async (run) => {
    const peer = await run.polling();
    for (const encoding of ["gzip", "deflate", "gzip, deflate, br", "br", "identity", "gzip;q=0, deflate"]) {
      run.session.send(long);
      await peer.poll({ headers: { "accept-encoding": encoding }, lane: encoding });
    }
    run.session.send("short");
    await peer.poll({ headers: { "accept-encoding": "gzip" }, lane: "short" });
    run.session.send(long, { compress: false });
    await peer.poll({ headers: { "accept-encoding": "gzip" }, lane: "compress: false" });
  });
}
