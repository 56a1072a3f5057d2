// Connection state recovery with official clients.
import type { Socket as ClientSocket } from "socket.io-client";
import type { ServerRun } from "../server-run.ts";
import { overEveryWay, type ClientWay } from "../scenario.ts";

const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } };

async function connected(run: ServerRun, way: ClientWay): Promise<ClientSocket> {
  // an event ends with an offset: seven characters, and a number if it is not the first of its millisecond
  run.recorder.mask(/'[\w-]{7}(?:\.\w+)?' \]/g, "'<offset>' ]");
  return run.connected("a", way);
}

/** Closes the client's engine, and waits until both sides report it. */
async function cut(run: ServerRun, client: ClientSocket): Promise<void> {
  client.io.engine.close();
  await run.saw("server", "description");
  await run.saw("a", "disconnect");
}

async function back(run: ServerRun, client: ClientSocket, way: ClientWay): Promise<void> {
  client.connect();
  await run.saw("a", /^connect\b/, 2);
  if (way.transports.length > 1) await run.saw("a engine", "upgrade to", 2);
  await run.settle();
}

overEveryWay("recovery: missed events", recovery, async (run, way) => {
  const client = await connected(run, way);
  await run.socket.join(["red", "blue"]);
  run.socket.data = { name: "a" };
  run.io.emit("first", 1);
  await run.settle();
  await cut(run, client);
  run.io.emit("missed", 2);
  run.io.to("red").emit("missed in red", Buffer.from([3]));
  run.io.to("green").emit("not its own");
  run.io.except("blue").emit("not in blue");
  await back(run, client, way);
  run.note("recovered", run.socket.recovered, [...run.socket.rooms], run.socket.data);
  run.io.to("blue").emit("after", 4);
  await run.settle();
});

overEveryWay("recovery: no missed events", recovery, async (run, way) => {
  const client = await connected(run, way);
  run.io.emit("first", 1);
  await run.settle();
  await cut(run, client);
  await back(run, client, way);
  run.note("recovered", run.socket.recovered);
});

overEveryWay("recovery: not after the client disconnects", recovery, async (run, way) => {
  const client = await connected(run, way);
  run.io.emit("first", 1);
  await run.settle();
  client.disconnect();
  await run.saw("engine", "description");
  run.io.emit("missed", 2);
  await back(run, client, way);
  run.note("recovered", run.socket.recovered);
});

overEveryWay("recovery: not after the server disconnects the client", recovery, async (run, way) => {
  const client = await connected(run, way);
  run.io.emit("first", 1);
  await run.settle();
  run.socket.disconnect(true);
  await run.saw("a", "disconnect");
  await back(run, client, way);
  run.note("recovered", run.socket.recovered);
});

overEveryWay("recovery: middlewares are skipped", recovery, async (run, way) => {
  run.io.use((_, next) => {
    run.note("middleware", "runs");
    next();
  });
  const client = await connected(run, way);
  run.io.emit("first", 1);
  await run.settle();
  await cut(run, client);
  await back(run, client, way);
});

overEveryWay(
  "recovery: middlewares are not skipped",
  { connectionStateRecovery: { skipMiddlewares: false } },
  async (run, way) => {
    run.io.use((socket, next) => {
      run.note("middleware", "runs", socket.recovered);
      next();
    });
    const client = await connected(run, way);
    run.io.emit("first", 1);
    await run.settle();
    await cut(run, client);
    await back(run, client, way);
  },
);

overEveryWay("recovery: a volatile event is the last one", recovery, async (run, way) => {
  const client = await connected(run, way);
  run.io.emit("first", 1);
  await run.settle();
  run.io.volatile.emit("volatile", "text");
  await run.settle();
  await cut(run, client);
  run.io.emit("missed", 2);
  await back(run, client, way);
  run.note("recovered", run.socket.recovered);
});

overEveryWay("recovery: no event received before", recovery, async (run, way) => {
  const client = await connected(run, way);
  await cut(run, client);
  run.io.emit("missed", 2);
  await back(run, client, way);
  run.note("recovered", run.socket.recovered);
});

overEveryWay("recovery: acks and direct events", recovery, async (run, way) => {
  const client = await connected(run, way);
  client.on("ask", (...args: unknown[]) => (args.pop() as (answer: unknown) => void)("answer"));
  run.socket.emit("direct", 1);
  run.note("answers", await run.socket.emitWithAck("ask", 2));
  run.note("answers", await run.io.timeout(5000).emitWithAck("ask", 3));
  await run.settle();
});
