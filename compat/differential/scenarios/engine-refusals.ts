// Requests that an engine refuses, and limits.
import type { EngineRun } from "../engine-run.ts";
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;
const any = { transport: "any" } as const;

/** Single requests without a session. */
const strays: Record<string, (run: EngineRun) => Promise<unknown>> = {
  "an unknown transport": (run) => run.get("transport=tcp"),
  "no transport": (run) => run.get(""),
  "a transport named constructor": (run) => run.get("transport=constructor"),
  "the WebSocket transport without an upgrade": (run) => run.get("transport=websocket"),
  "the WebTransport transport": (run) => run.get("transport=webtransport"),
  "two transports": (run) => run.get("transport=polling&transport=websocket"),
  "no version": (run) => run.get("/engine.io/?transport=polling"),
  "version 3": (run) => run.get("EIO=3&transport=polling"),
  "version 5": (run) => run.get("EIO=5&transport=polling"),
  "two versions": (run) => run.get("EIO=3&EIO=4&transport=polling"),
  "an unknown sid": (run) => run.get("transport=polling&sid=unknown"),
  "a sid named __proto__": (run) => run.get("transport=polling&sid=__proto__"),
  "an empty sid": (run) => run.get("transport=polling&sid="),
  "a POST with an unknown sid": (run) => run.post("transport=polling&sid=unknown", "4hi"),
  "a POST without a sid": (run) => run.post("transport=polling", "4hi"),
  "a PUT without a sid": (run) => run.http("PUT", "transport=polling"),
  "a DELETE without a sid": (run) => run.http("DELETE", "transport=polling"),
  "HEAD without a sid": (run) => run.http("HEAD", "transport=polling"),
  "OPTIONS without CORS": (run) => run.http("OPTIONS", "transport=polling"),
  "another path": (run) => run.get("/other/?EIO=4&transport=polling"),
  "the path without the trailing slash": (run) => run.get("/engine.io?EIO=4&transport=polling"),
  "a longer path": (run) => run.get("/engine.io/more?EIO=4&transport=polling"),
  "a path with the same prefix": (run) => run.get("/engine.iota/?EIO=4&transport=polling"),
  "a percent-encoded query": (run) => run.get("transport=%70olling&x=%zz"),
  base64: (run) => run.get("transport=polling&b64=1"),
  JSONP: (run) => run.get("transport=polling&j=0"),
};

for (const [name, act] of Object.entries(strays)) {
  onEngine(`request: ${name}`, polling, async (run) => {
    await act(run);
  });
}

for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]) {
  onEngine(`request: ${method} with a sid`, polling, async (run) => {
    const peer = await run.polling();
    await run.http(method, peer.query);
    run.session.send("after");
    await peer.poll();
  });
}

onEngine(
  "request: a version other than the session's",
  { ...polling, options: { allowEIO3: true } },
  async (run) => {
    const peer = await run.polling();
    await run.get(peer.query.replace(/^/, "EIO=3&"));
    run.session.send("after");
    await peer.poll();
  },
);

onEngine("request: a transport other than the session's", polling, async (run) => {
  const socket = await run.open("ws", "transport=websocket");
  await run.get(`transport=polling&sid=${run.session.id}`);
  await run.post(`transport=polling&sid=${run.session.id}`, "4hi");
  socket.sendText("4still here");
  await run.saw("engine", "still here");
});

onEngine("request: a second poll while one is pending", polling, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  await peer.poll();
  await answer;
  await peer.poll();
});

onEngine("request: a binary body", polling, async (run) => {
  const peer = await run.polling();
  await peer.post(Buffer.from([1, 2, 3]));
  run.session.send("after");
  void peer.begin("second poll");
});

onEngine("request: other content types", polling, async (run) => {
  const peer = await run.polling();
  await peer.post("4json", { headers: { "content-type": "application/json" } });
  await peer.post("d=4form", { headers: { "content-type": "application/x-www-form-urlencoded" } });
});

const small = { ...polling, options: { maxHttpBufferSize: 10 } };

onEngine("limits: a POST of the maximum size", small, async (run) => {
  const peer = await run.polling();
  await peer.post("4123456789");
});

onEngine("limits: a POST that is too large", small, async (run) => {
  const peer = await run.polling();
  await peer.post("41234567890");
  run.session.send("after");
  void peer.begin("second poll");
});

onEngine("limits: a POST with few characters, but too many bytes", small, async (run) => {
  const peer = await run.polling();
  await peer.post("4😀😀😀");
});

onEngine("limits: a POST in chunks that is too large", small, async (run) => {
  const peer = await run.polling();
  const headers = { "transfer-encoding": "chunked" };
  await peer.post("4".repeat(50), { headers });
});

onEngine(
  "limits: a WebSocket message of the maximum size",
  { ...any, options: { maxHttpBufferSize: 10 } },
  async (run) => {
    const socket = await run.open("ws", "transport=websocket");
    socket.sendText("4123456789");
    await run.saw("engine", "message");
  },
);

onEngine(
  "limits: a WebSocket message that is too large",
  { ...any, options: { maxHttpBufferSize: 10 } },
  async (run) => {
    const socket = await run.open("ws", "transport=websocket");
    socket.sendText("41234567890");
    await run.saw("ws", "end");
    await run.saw("engine", "description");
  },
);

for (const [name, query] of Object.entries({
  "an unknown transport": "transport=tcp",
  "no transport": "",
  "the polling transport": "transport=polling",
  "an unknown sid": "transport=websocket&sid=unknown",
  "version 3": "EIO=3&transport=websocket",
  "version 5": "EIO=5&transport=websocket",
  "another path": "/other/?EIO=4&transport=websocket",
})) {
  onEngine(`upgrade request: ${name}`, { transport: "websocket" }, async (run) => {
    const socket = await run.ws("ws", query);
    if (socket) await run.saw("ws", "end");
  });
}

for (const [name, headers] of Object.entries({
  "version 8": { "sec-websocket-version": "8" },
  "version 7": { "sec-websocket-version": "7" },
  "no key": { "sec-websocket-key": "" },
  "a short key": { "sec-websocket-key": "c2hvcnQ=" },
  "a subprotocol": { "sec-websocket-protocol": "chat, superchat" },
  "an offer of compression": { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" },
  "an unknown extension": { "sec-websocket-extensions": "x-unknown; a=b" },
  "an origin": { origin: "http://elsewhere.example" },
})) {
  onEngine(`upgrade request: ${name}`, { transport: "websocket" }, async (run) => {
    const socket = await run.ws("ws", "transport=websocket", { headers });
    if (socket) await run.saw("ws", "text");
  });
}
