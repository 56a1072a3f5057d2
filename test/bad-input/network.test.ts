import { connect } from "node:net";
import { answered, ended, scenariosOf } from "./scenario.ts";
import { closing } from "../support/waiting/closing.ts";
import { encodeFrame, OPCODE } from "../support/wire/frames.ts";
import { until } from "../support/engine/peers.ts";
import { within } from "../support/waiting/queue.ts";
import { RawWebSocket } from "../support/wire/raw-websocket.ts";
import { cuttableProxy } from "../support/proxies/tcp.ts";

const scenario = scenariosOf(import.meta.url);

// long enough for the test to see a pending poll before a ping answers it, also on a busy machine
const pingInterval = 1000;
const pingTimeout = 300;
const heartbeat = { pingInterval, pingTimeout };

scenario(
  "vanishes without closing its connection",
  {
    "over a WebSocket": async (run) => {
      const proxy = await cuttableProxy(run.server.port);
      using _proxy = closing(() => proxy.close());
      const socket = await RawWebSocket.connect(proxy.port, run.server.path("transport=websocket"));
      await socket.next();
      const session = await run.server.nextSession();
      run.adopt(session);
      proxy.freeze();
      await until(() => session.readyState === "closed", "the session to close");
      return "–";
    },
    "during a poll": async (run) => {
      const proxy = await cuttableProxy(run.server.port);
      using _proxy = closing(() => proxy.close());
      const peer = await run.polling();
      const poll = connect({ port: proxy.port, host: "127.0.0.1" });
      poll.on("error", () => {});
      poll.write(`GET ${peer.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await until(() => peer.session.transport.writable, "a poll to be parked");
      proxy.freeze();
      await until(() => peer.session.readyState === "closed", "the session to close");
      poll.destroy();
      return "–";
    },
  },
  { needs: "tcp", options: heartbeat },
);

scenario(
  "opens a session over long-polling and never polls",
  async (run) => {
    const peer = await run.polling();
    await until(() => peer.session.readyState === "closed", "the session to close");
    return answered(await peer.get());
  },
  { options: heartbeat },
);

scenario(
  "answers no ping",
  async (run) => {
    const { socket } = await run.webSocket();
    return ended(socket);
  },
  { options: heartbeat },
);

scenario(
  "resets its connection while the server writes to it",
  {
    "with data waiting": async (run) => {
      const { socket, session } = await run.rawWebSocket();
      socket.pause();
      for (let index = 0; index < 8; index++) session.send("x".repeat(1_000_000));
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.reset();
      return "–";
    },
    "in the same tick": async (run) => {
      const { socket, session } = await run.rawWebSocket();
      session.send("x".repeat(1_000_000));
      socket.reset();
      return "–";
    },
  },
  { needs: "tcp" },
);

scenario(
  "resets its connection in the middle of a frame",
  async (run) => {
    const { socket } = await run.rawWebSocket();
    socket.socket.write(encodeFrame(OPCODE.text, Buffer.alloc(100_000, "4")).subarray(0, 60_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.reset();
    return "–";
  },
  { needs: "tcp" },
);

scenario(
  "resets its connection while the response to its poll is written",
  async (run) => {
    const peer = await run.polling();
    const poll = connect({ port: run.server.port, host: "127.0.0.1" });
    poll.on("error", () => {});
    const some = new Promise<void>((resolve) => {
      poll.once("data", () => {
        poll.pause();
        resolve();
      });
    });
    poll.write(`GET ${peer.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => peer.session.transport.writable, "a poll to be parked");
    peer.session.send("x".repeat(16_000_000), { compress: false });
    await within(some, "the beginning of the answer");
    poll.resetAndDestroy();
    return "–";
  },
  { needs: "tcp", options: heartbeat },
);

scenario(
  "leaves while the response to its poll is compressed",
  async (run) => {
    const peer = await run.polling();
    const aborter = new AbortController();
    const headers = { "accept-encoding": "gzip" };
    const { answer } = await peer.park({ headers, signal: aborter.signal });
    peer.session.send("x".repeat(1_000_000));
    setImmediate(() => aborter.abort());
    return answer.then(answered, () => "–");
  },
  { options: heartbeat },
);
