// Bugs of the official server over WebTransport, as tests of the correct behaviour.
import assert from "node:assert/strict";
import { install } from "../support/engine/middlewares.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import { webTransport, webTransportClient } from "../support/webtransport/socketio.ts";

async function carriesEvents(
  host: ServerHost,
  options: object,
  useMore: (engine: unknown) => void,
): Promise<void> {
  await using running = await host.start({ ...webTransport, ...options });
  useMore(running.io.engine);
  const { stream, socket } = await webTransportClient(running);
  assert.equal(socket.conn.transport.name, "webtransport");
  const heard = next(socket, "up");
  await stream.write(Buffer.from('\x0a42["up",1]'));
  assert.deepEqual(await heard, [1]);
  await stream.frame();
  await stream.frame();
  running.io.emit("down", 2);
  assert.equal(String(await stream.frame()), '42["down",2]');
}

onEveryHost("WebTransport, where the official server has bugs", serverHostsAndApp, (host) => {
  it("exchanges events without a middleware, also with attachApp()", () => carriesEvents(host, {}, () => {}));

  it("exchanges events with a middleware", () =>
    carriesEvents(host, {}, (engine) =>
      install(engine, (_req: unknown, _res: unknown, pass: () => void) => pass()),
    ));

  it("exchanges events with the option cors", () => carriesEvents(host, { cors: { origin: "*" } }, () => {}));
});
