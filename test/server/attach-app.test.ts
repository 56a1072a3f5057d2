import assert from "node:assert/strict";
import * as uWS from "uWebSockets.js";
import { isClosed } from "../support/wire/network-client.ts";
import { attachedHost } from "../support/server/hosts.ts";
import { connected, pair } from "../support/server/clients.ts";
import { serveApp } from "../support/server/serve.ts";
import { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";
import { socketio } from "../support/server/socketio.ts";

describe("attachApp", () => {
  it("serves an app of the application, which keeps its routes", async () => {
    const app = uWS.App();
    app.get("/hello", (res) => void res.end("application"));
    const io = new socketio.Server();
    io.attachApp(app);
    await using running = serveApp(io, app);
    await connected(running.client());
    assert.equal(await (await fetch(`${running.url}/hello`)).text(), "application");
  });

  it("may be attached after the routes of the application, also a catch-all one", async () => {
    const app = uWS.App();
    const io = new socketio.Server();
    io.attachApp(app);
    app.any("/*", (res) => void res.writeStatus("404 Not Found").end("nothing here"));
    await using running = serveApp(io, app);
    await connected(running.client());
    assert.equal((await fetch(`${running.url}/other`)).status, 404);
  });

  it("takes its own options", async () => {
    const app = uWS.App();
    const io = new socketio.Server({ path: "/mine" });
    io.attachApp(app, { pingInterval: 12_345 });
    await using running = serveApp(io, app);
    const answer = await fetch(`${running.url}/mine/?EIO=4&transport=polling`);
    assert.equal(
      (JSON.parse((await answer.text()).slice(1)) as { pingInterval: number }).pingInterval,
      12_345,
    );
  });

  it("runs two servers on one app, under two paths", async () => {
    const app = uWS.App();
    const [one, two] = [new socketio.Server({ path: "/one" }), new socketio.Server({ path: "/two" })];
    one.attachApp(app);
    two.attachApp(app);
    await using onOne = serveApp(one, app);
    await using onTwo = new StartedServer(two, { port: onOne.port });
    const [a, b] = [await pair(onOne, { path: "/one" }), await pair(onTwo, { path: "/two" })];
    const heard = [next(a.client, "ev"), next(b.client, "ev")];
    one.emit("ev", 1);
    two.emit("ev", 2);
    assert.deepEqual(await Promise.all(heard), [[1], [2]]);
  });

  it("upgrades over an app, and carries binary", async () => {
    await using running = await attachedHost.start();
    const { client, socket } = await pair(running);
    if (client.io.engine.transport.name !== "websocket") await next(client.io.engine, "upgrade");
    const heard = next(socket, "b");
    client.emit("b", Buffer.from([1, 2]));
    assert.deepEqual(await heard, [Buffer.from([1, 2])]);
  });

  it("io.close() ends the connections and stops listening", async () => {
    await using running = await attachedHost.start();
    const { socket } = await pair(running);
    const gone = next(socket, "disconnect");
    await running.io.close();
    assert.equal((await gone)[0], "server shutting down");
    assert.equal(await isClosed(running.port), true);
  });
});
