import { createServer } from "node:http";

import { connect } from "node:net";
import { Server } from "@tidewire/engine";
import type { EngineOptions } from "../support/engine/types.ts";
import type { EngineHost } from "../support/engine/hosts.ts";
import { firstAnswer } from "../support/wire/network-client.ts";
import { PATIENCE as USUAL_PATIENCE, within } from "../support/waiting/queue.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import { closing } from "../support/waiting/closing.ts";
import { serve } from "../support/engine/serve.ts";
import { scenariosOf } from "./scenario.ts";
import type { Run } from "./scenario.ts";

const scenario = scenariosOf(import.meta.url);

/** Longer than uWebSockets.js waits for a request; its clock has a resolution of four seconds. */
const PATIENCE = Math.max(20_000, USUAL_PATIENCE);

/** Starts an engine; on node:http, with short timeouts of the HTTP server. */
async function startImpatient(host: EngineHost, options: EngineOptions = {}): Promise<StartedEngine> {
  if (host.name !== "node") return host.start(options);
  const engine = new Server(options);
  const httpServer = createServer({
    headersTimeout: 200,
    requestTimeout: 400,
    connectionsCheckingInterval: 50,
  });
  engine.attach(httpServer);
  return serve(engine, httpServer);
}

/** The server's response to a connection that sends only these bytes, until it closes. */
async function hearFrom({ server }: Run, bytes: string): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    let heard = "";
    const socket = connect({ port: server.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    socket.on("close", () => resolve(heard));
    if (bytes !== "") socket.write(bytes);
  });
  const heard = await within(answer, "the server to hang up", PATIENCE);
  return heard === "" ? "–" : heard.slice(9, 12);
}

const patient = { needs: "tcp", start: startImpatient, timeout: PATIENCE + 5_000 } as const;

const heard = new Map<string, Promise<string[]>>();

/** Runs both at the same time, once per host: uWebSockets.js takes ten seconds for each. */
function hearFromSilent(run: Run): Promise<string[]> {
  const half = `GET ${run.server.path("transport=polling")} HTTP/1.1\r\nHost: localhost\r\nA: `;
  const both = heard.get(run.host.name) ?? Promise.all([hearFrom(run, ""), hearFrom(run, half)]);
  heard.set(run.host.name, both);
  return both;
}

/** Opens a session, and sends a POST byte by byte; resolves with the server's response. */
async function trickle(run: Run): Promise<string> {
  const peer = await run.polling();
  const post = connect({ port: run.server.port, host: "127.0.0.1" });
  let heard = "";
  post.on("error", () => {});
  post.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  const closed = new Promise<void>((resolve) => {
    post.on("close", () => resolve());
  });
  post.write(`POST ${peer.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n4`);
  const drops = setInterval(() => post.write("x"), 20);
  using _drops = closing(() => clearInterval(drops));
  await within(closed, "the server to hang up", PATIENCE);
  return heard === "" ? "–" : heard.slice(9, 12);
}

scenario(
  "sends the body of a POST slower than the host allows",
  // the others wait at the same time
  async (run) => (await Promise.all([trickle(run), hearFromSilent(run)]))[0],
  patient,
);

scenario("connects and sends nothing", async (run) => (await hearFromSilent(run))[0]!, patient);

scenario(
  "never finishes the headers of its request",
  async (run) => (await hearFromSilent(run))[1]!,
  patient,
);

scenario("sends the body of a POST byte by byte", (run) => trickle(run), {
  needs: "tcp",
  options: { pingInterval: 100, pingTimeout: 300 },
});

const bigHead = (run: Run, headers: string): Promise<string> => {
  const head = `GET ${run.server.path("transport=polling")} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
  return firstAnswer(run.server.port, head).then((answer) => answer.slice(9, 12));
};

scenario(
  "sends headers larger than 16 KiB",
  {
    "one large header": (run) => bigHead(run, `Cookie: ${"x".repeat(20_000)}\r\n`),
    "many small headers": (run) => bigHead(run, "Aaaa: bbbb\r\n".repeat(2_500)),
  },
  { needs: "tcp" },
);

scenario(
  "sends more than a hundred headers",
  async (run) => {
    const status = await bigHead(run, `${"A: b\r\n".repeat(150)}Connection: close\r\n`);
    if (status === "200") run.adopt(await run.server.nextSession());
    return status;
  },
  { needs: "tcp" },
);

scenario(
  "sends headers of 15 KiB",
  async (run) => {
    const status = await bigHead(run, `Cookie: ${"x".repeat(15_000)}\r\nConnection: close\r\n`);
    run.adopt(await run.server.nextSession());
    return status;
  },
  { needs: "tcp" },
);

scenario(
  "uses TLS with a server that does not",
  (run) => hearFrom(run, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
  { needs: "tcp" },
);

scenario(
  "opens a session over HTTP/1.0",
  async (run) => {
    const request = `GET ${run.server.path("transport=polling")} HTTP/1.0\r\nHost: localhost\r\n\r\n`;
    const status = (await firstAnswer(run.server.port, request)).slice(9, 12);
    if (status === "200") run.adopt(await run.server.nextSession());
    return status;
  },
  { needs: "tcp" },
);
