import { until } from "../support/engine/peers.ts";
import { scenariosOf } from "./scenario.ts";
import type { Misdeed, Run } from "./scenario.ts";

const scenario = scenariosOf(import.meta.url);

/** A hook that holds requests with `hold` in their query until the test releases them. */
type Hook = (run: Run) => { asked: () => boolean; goOn: () => void };

function held(install: (run: Run, hold: (goOn: () => void) => void) => void): Hook {
  return (run) => {
    let goOn: (() => void) | undefined;
    install(run, (next) => (goOn = next));
    return { asked: () => goOn !== undefined, goOn: () => goOn?.() };
  };
}

const hooks: Record<string, Hook> = {
  "a middleware that then passes it on": held(({ server }, hold) => {
    server.engine.use((_req, _res, next) => hold(next));
  }),
  "allowRequest that then accepts it": held(({ server }, hold) => {
    server.engine.opts.allowRequest = (_req, callback) => hold(() => callback(null, true));
  }),
  "allowRequest that then refuses it": held(({ server }, hold) => {
    server.engine.opts.allowRequest = (_req, callback) => hold(() => callback("no", false));
  }),
  "generateId that then resolves": held(({ server }, hold) => {
    server.engine.generateId = () => new Promise((resolve) => hold(() => resolve("late")));
  }),
  "generateId that then rejects": held(({ server }, hold) => {
    server.engine.generateId = () => new Promise((_, reject) => hold(() => reject(new Error("no"))));
  }),
};

/** Sends a request, leaves while the hook is pending, then lets the hook decide. */
function leaving(hook: Hook, ask: (run: Run, signal: AbortSignal) => Promise<unknown>): Misdeed {
  return async (run) => {
    const { asked, goOn } = hook(run);
    const aborter = new AbortController();
    const answer = ask(run, aborter.signal).then(
      () => "an answer",
      () => "–",
    );
    await until(asked, "the hook to be asked");
    aborter.abort();
    const got = await answer;
    // time for the server to notice that the client has left; no event reports it
    await new Promise((resolve) => setTimeout(resolve, 30));
    goOn();
    await new Promise((resolve) => setTimeout(resolve, 10));
    return got;
  };
}

function leavingAll(ask: (run: Run, signal: AbortSignal) => Promise<unknown>): Record<string, Misdeed> {
  return Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, leaving(hook, ask)]));
}

scenario(
  "leaves its handshake while a hook is pending",
  leavingAll(({ server }, signal) => server.client.get(server.path("transport=polling"), { signal })),
);

scenario(
  "leaves its WebSocket handshake while a hook is pending",
  leavingAll(({ server }, signal) => server.client.websocket(server.path("transport=websocket"), { signal })),
);

const fails = held(({ server }, hold) => {
  server.engine.use((_req, _res, next) => hold(() => next(new Error("no"))));
});

scenario("leaves its handshake while a middleware is pending that then fails", {
  "long-polling": leaving(fails, ({ server }, signal) =>
    server.client.get(server.path("transport=polling"), { signal }),
  ),
  WebSocket: leaving(fails, ({ server }, signal) =>
    server.client.websocket(server.path("transport=websocket"), { signal }),
  ),
});

/** The same, for a session opened before the middleware was added. */
function leavingSession(ask: (run: Run, path: string, signal: AbortSignal) => Promise<unknown>): Misdeed {
  return async (run) => {
    const peer = await run.polling();
    let next: (() => void) | undefined;
    run.server.engine.use((req, _res, proceed) => {
      if (next === undefined && req.url?.includes("hold")) next = proceed;
      else proceed();
    });
    const leave = leaving(
      () => ({ asked: () => next !== undefined, goOn: () => next?.() }),
      (_, signal) => ask(run, `${peer.path}&hold=1`, signal),
    );
    return leave(run);
  };
}

scenario("leaves a request of its session while a middleware is pending", {
  poll: leavingSession(({ server }, path, signal) => server.client.get(path, { signal })),
  POST: leavingSession(({ server }, path, signal) => server.client.post(path, "4x", { signal })),
  upgrade: leavingSession(({ server }, path, signal) =>
    server.client.websocket(path.replace("=polling", "=websocket"), { signal }),
  ),
});
