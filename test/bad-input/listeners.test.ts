import assert from "node:assert/strict";
import type { Session } from "../support/engine/types.ts";
import { PollingPeer, openWebSocket } from "../support/engine/peers.ts";
import { uncaught } from "../support/process/uncaught.ts";
import { answered, nextMessage, scenariosOf } from "./scenario.ts";
import type { Misdeed, Run } from "./scenario.ts";

const scenario = scenariosOf(import.meta.url);

const thrown = new Error("thrown by a listener");
const fail = (): never => {
  throw thrown;
};

/** Makes a listener throw, and waits for the error. */
async function throwing<T>(run: Run, doing: () => Promise<T>): Promise<T> {
  const surfaced = uncaught(1);
  const result = await doing();
  run.uncaught = await surfaced;
  assert.deepEqual(run.uncaught, [thrown]);
  return result;
}

/** Makes the listener throw for one message; the next one in the same body or read is still delivered. */
function onMessage(event: string): Record<string, Misdeed> {
  return {
    [`${event}, by long-polling`]: async (run) => {
      const peer = await run.polling();
      peer.session.once(event, fail);
      return throwing(run, async () => {
        const answer = answered(await peer.post("4a\x1e4b"));
        const next = nextMessage(peer.session);
        await peer.send("4c");
        return `${answer}, then ${String(await next)}`;
      });
    },
    [`${event}, by WebSocket`]: async (run) => {
      const { socket, session } = await run.webSocket();
      session.once(event, fail);
      return throwing(run, async () => {
        socket.sendText("4a");
        const answer = socket.next();
        session.on("message", (data: string) => {
          if (data === "b") session.send("ok");
        });
        socket.sendText("4b");
        assert.equal(await answer, "4ok");
        const next = nextMessage(session);
        socket.sendText("4c");
        return `200 ok, then ${String(await next)}`;
      });
    },
  };
}

scenario("sends a message to a listener that throws", {
  ...onMessage("message"),
  ...onMessage("data"),
  ...onMessage("packet"),
});

scenario("sends a message to a layer above that throws", async (run) => {
  const { socket, session } = await run.webSocket();
  const layered = session as unknown as { handlers: unknown };
  layered.handlers = { onMessage: fail, onClose() {} };
  await throwing(run, async () => socket.sendText("4a"));
  layered.handlers = undefined;
  return "–";
});

/** Opens a session while the `connection` listener throws. */
function connecting(open: (run: Run) => Promise<Session>): Misdeed {
  return async (run) => {
    run.server.engine.prependOnceListener("connection", (session: Session) => run.adopt(session));
    run.server.engine.once("connection", fail);
    const session = await throwing(run, () => open(run));
    return session.readyState;
  };
}

scenario("connects where a connection listener throws", {
  "over long-polling": connecting(async ({ server }) => (await PollingPeer.open(server)).session),
  "over WebSocket": connecting(async ({ server }) => (await openWebSocket(server)).session),
});

scenario("closes a session whose close listener throws", {
  "over long-polling": async (run) => {
    const peer = await run.polling();
    peer.session.once("close", fail);
    return throwing(run, async () => answered(await peer.post("1")));
  },
  "over WebSocket": async (run) => {
    const { socket, session } = await run.webSocket();
    session.once("close", fail);
    return throwing(run, async () => {
      socket.close();
      await socket.closed;
      return "200 ok";
    });
  },
});

scenario("closes a session where a close listener of its transport throws", {
  "over long-polling": async (run) => {
    const peer = await run.polling();
    peer.session.transport.once("close", fail);
    return throwing(run, async () => answered(await peer.post("1")));
  },
  "over WebSocket": async (run) => {
    const { socket, session } = await run.webSocket();
    session.transport.once("close", fail);
    return throwing(run, async () => {
      socket.close();
      await socket.closed;
      return "200 ok";
    });
  },
});

scenario("violates the protocol where an error listener of its transport throws", {
  "over long-polling": async (run) => {
    const peer = await run.polling();
    const poll = await peer.park();
    peer.session.transport.once("error", fail);
    return throwing(run, async () => {
      const overlap = answered(await peer.get());
      await poll.answer.catch(() => {});
      return overlap;
    });
  },
});

scenario("exchanges messages where listeners of its transport throw", {
  "packet, over long-polling": async (run) => {
    const peer = await run.polling();
    peer.session.transport.once("packet", fail);
    const next = nextMessage(peer.session);
    return throwing(run, async () => `${answered(await peer.post("4a"))}, then ${String(await next)}`);
  },
  "packet, over WebSocket": async (run) => {
    const { socket, session } = await run.webSocket();
    session.transport.once("packet", fail);
    const next = nextMessage(session);
    return throwing(run, async () => {
      socket.sendText("4a");
      return `200 ok, then ${String(await next)}`;
    });
  },
  "drain, over long-polling": async (run) => {
    const peer = await run.polling();
    const poll = await peer.park();
    peer.session.transport.once("drain", fail);
    return throwing(run, async () => {
      peer.session.send("a");
      const { status, body } = await poll.answer;
      return status === 200 && body === "4a" ? "200 ok, then a" : `${status} ${body}`;
    });
  },
  "drain, over WebSocket": async (run) => {
    const { socket, session } = await run.webSocket();
    session.transport.once("drain", fail);
    return throwing(run, async () => {
      session.send("a");
      return String(await socket.next()) === "4a" ? "200 ok, then a" : "something else";
    });
  },
});

scenario(
  "receives from a session whose listeners throw",
  Object.fromEntries(
    ["packetCreate", "flush", "drain"].map((event) => [
      event,
      async (run: Run) => {
        const { socket, session } = await run.webSocket();
        session.once(event, fail);
        return throwing(run, async () => {
          session.send("a");
          return String(await socket.next());
        });
      },
    ]),
  ),
);

scenario("is refused where a connection_error listener throws", async (run) => {
  run.server.engine.once("connection_error", fail);
  return throwing(run, async () => answered(await run.server.client.get(run.server.path("transport=tcp"))));
});

scenario("gets a response while headers listeners throw", {
  "over long-polling": async (run) => {
    run.server.engine.once("headers", fail);
    const peer = await throwing(run, () => run.polling());
    return peer.session.readyState;
  },
  "over WebSocket": async (run) => {
    run.server.engine.once("headers", fail);
    const peer = await throwing(run, () => run.webSocket());
    return peer.session.readyState;
  },
});
