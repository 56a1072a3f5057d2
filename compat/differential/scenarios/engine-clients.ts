// Official clients of the engine, for protocols 4 and 3.
import type { EngineRun } from "../engine-run.ts";
import { onEngine, ways, type Way } from "../scenario.ts";

interface AnyClient {
  send(data: string | Buffer): unknown;
  close(): unknown;
}

const kinds = {
  "client 6": (run: EngineRun, transports: string[]): AnyClient => run.client("client", { transports }),
  "client 3": (run: EngineRun, transports: string[]): AnyClient => run.oldClient("client", { transports }),
};

const options = { allowEIO3: true };

/** Opens the client, and waits for its upgrade, if any. */
async function open(run: EngineRun, kind: keyof typeof kinds, way: keyof typeof ways): Promise<AnyClient> {
  const client = kinds[kind](run, [...ways[way].transports]);
  await run.saw("client", way === "upgrade" ? "upgrade to" : "open");
  if (way === "upgrade") await run.saw("engine", "upgrade to");
  return client;
}

for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
  for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
    const declaration = { transport: way satisfies Way, options };

    onEngine(`${kind}: messages both ways, ${way}`, declaration, async (run) => {
      const client = await open(run, kind, way);
      client.send("hello");
      client.send("é€😀");
      client.send(Buffer.from([1, 2, 255]));
      await run.saw("engine", "message", 3);
      run.session.send("hello");
      run.session.send("é€😀");
      run.session.send(Buffer.from([1, 2, 255]));
      await run.saw("client", "message", 3);
    });

    onEngine(`${kind}: a burst both ways, ${way}`, declaration, async (run) => {
      const client = await open(run, kind, way);
      for (let number = 0; number < 30; number++) {
        client.send(`up ${number}`);
        run.session.send(`down ${number}`);
      }
      await run.saw("engine", "message", 30);
      await run.saw("client", "message", 30);
    });

    onEngine(`${kind}: large messages both ways, ${way}`, declaration, async (run) => {
      const client = await open(run, kind, way);
      run.session.on("message", (data: string) => run.session.send(`${data.length} came ${data.slice(-5)}`));
      client.send("é".repeat(100_000));
      await run.saw("client", "came");
      run.session.send("€".repeat(100_000));
      await run.saw("client", "message", 2);
    });

    onEngine(`${kind}: the client closes, ${way}`, declaration, async (run) => {
      // client 3 can poll once more after it has closed
      run.recorder.ignore("connection_error 1 Session ID unknown");
      const client = await open(run, kind, way);
      client.close();
      await run.saw("engine", "description");
      await run.saw("client", "close");
    });

    onEngine(`${kind}: the server closes, ${way}`, declaration, async (run) => {
      await open(run, kind, way);
      run.session.send("last");
      run.session.close();
      await run.saw("engine", "description");
      await run.saw("client", "close");
    });
  }
}

onEngine(
  "client 6: a refused handshake over long-polling",
  { transport: "polling", options: { allowRequest: (_, answer) => answer("no", false) } },
  async (run) => {
    run.client("client", { transports: ["polling"] });
    await run.saw("client", "close");
  },
);

onEngine(
  "client 6: a refused handshake over a WebSocket",
  { transport: "websocket", options: { allowRequest: (_, answer) => answer("no", false) } },
  async (run) => {
    run.client("client", { transports: ["websocket"] });
    await run.saw("client", "close");
  },
);
