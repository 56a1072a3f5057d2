// Of a server of Node: on the other hosts, nothing closes an engine but its application.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import { KeptConnection } from "../support/wire/kept-connection.ts";

describe("engine: stopListening() on a server of Node", () => {
  const start = async (): Promise<{ engine: Server; session: Session; closed: Promise<unknown> }> => {
    const httpServer = createServer();
    const engine = new Server().attach(httpServer);
    await once(httpServer.listen(0), "listening");
    const { port } = httpServer.address() as AddressInfo;
    const connected = once(engine, "connection") as Promise<[Session]>;
    const url = `http://127.0.0.1:${port}/engine.io/?EIO=4&transport=polling`;
    const response = await fetch(url, { headers: { connection: "close" } });
    assert.match(await response.text(), /^0/);
    const [session] = await connected;
    return { engine, session, closed: once(httpServer, "close") };
  };

  it("leaves sessions open whose clients have no connection at present, until the engine is closed", async () => {
    const { engine, session, closed } = await start();
    engine.stopListening();
    await closed;
    assert.equal(session.readyState, "open");
    engine.close();
    assert.equal(session.readyState, "closed");
  });

  it("is not what an application does that closes its server: this ends the sessions, as officially", async () => {
    const { engine, session, closed } = await start();
    engine.httpServer!.close();
    await closed;
    assert.equal(session.readyState, "closed");
  });

  it("leaves the sessions of another server open that the engine was attached to meanwhile", async () => {
    const { engine, closed } = await start();
    const { port } = engine.httpServer!.address() as AddressInfo;
    using kept = await KeptConnection.open(port);
    const requested = once(engine.httpServer!, "request");
    kept.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await requested;
    engine.stopListening();
    const other = createServer();
    engine.attach(other);
    await once(other.listen(0), "listening");
    const connected = once(engine, "connection") as Promise<[Session]>;
    const { port: otherPort } = other.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${otherPort}/engine.io/?EIO=4&transport=polling`, {
      headers: { connection: "close" },
    });
    const [session] = await connected;
    kept[Symbol.dispose]();
    await closed;
    assert.equal(session.readyState, "open");
    other.close();
    await once(other, "close");
    assert.equal(session.readyState, "closed");
  });
});
