import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";

import { Server } from "@tidewire/engine";
import type { Session } from "@tidewire/engine";
import { warningsOf } from "../support/process/warnings.ts";
import { needUws } from "../support/uws/absent.ts";
import { within } from "../support/waiting/queue.ts";

/** A header of the PROXY protocol, version 2: a TCP connection from this IPv4 address. */
function proxyHeader(address: readonly [number, number, number, number]): Buffer {
  const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
  const ports = [0x30, 0x39, 0x00, 0x50];
  return Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, 12, ...address, 10, 0, 0, 1, ...ports])]);
}

const handshakes: Readonly<Record<string, string>> = {
  polling: "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n",
  websocket:
    "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" +
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
};

describe("engine: the PROXY protocol on uWebSockets.js", () => {
  interface Opened extends AsyncDisposable {
    readonly session: Session;
  }

  /** The session of a connection that begins with these bytes. */
  async function sessionOf(bytes: Buffer, proxyProtocol: boolean | undefined): Promise<Opened> {
    needUws();
    const engine = new Server({ host: "uws" });
    const httpServer = engine.listen(0, proxyProtocol === undefined ? {} : { proxyProtocol });
    const { port } = httpServer.address() as { port: number };
    const opened = once(engine, "connection");
    const client = connect(port, "127.0.0.1");
    client.on("error", () => {}).resume();
    client.write(bytes);
    const [session] = (await within(opened, "the session")) as [Session];
    return {
      session,
      [Symbol.asyncDispose]: async () => {
        client.destroy();
        engine.close();
        await new Promise((closed) => httpServer.close(closed));
      },
    };
  }

  for (const [name, request] of Object.entries(handshakes)) {
    const proxied = Buffer.concat([proxyHeader([203, 0, 113, 7]), Buffer.from(request)]);

    it(`gives the address of a session on ${name} if the option is set`, async () => {
      await using opened = await sessionOf(proxied, true);
      assert.equal(opened.session.remoteAddress, "203.0.113.7");
    });

    it(`is ignored on ${name} otherwise`, async () => {
      await using opened = await sessionOf(proxied, undefined);
      assert.equal(opened.session.remoteAddress, "::ffff:127.0.0.1");
    });

    it(`may be missing on ${name}`, async () => {
      await using opened = await sessionOf(Buffer.from(request), true);
      assert.equal(opened.session.remoteAddress, "::ffff:127.0.0.1");
    });
  }

  it("is a known option", async () => {
    const warnings = await warningsOf("TIDEWIRE_UNKNOWN_OPTION", async () => {
      await using _opened = await sessionOf(Buffer.from(handshakes["polling"]!), true);
    });
    assert.deepEqual(warnings, []);
  });

  it("gives the address where applications written for `ws` look for it", async () => {
    const bytes = Buffer.concat([proxyHeader([198, 51, 100, 9]), Buffer.from(handshakes["websocket"]!)]);
    await using opened = await sessionOf(bytes, true);
    const { socket } = opened.session.transport as unknown as {
      socket: { _socket: { remoteAddress: string } };
    };
    assert.equal(socket._socket.remoteAddress, "198.51.100.9");
  });
});
