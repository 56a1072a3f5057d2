import assert from "node:assert/strict";
import { openOldClient } from "../support/server/old-clients.ts";
import { jsonParser, msgpack, oldMsgpack } from "../support/server/parsers.ts";
import { closing } from "../support/waiting/closing.ts";

import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { onEveryTransport, pair } from "../support/server/clients.ts";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** What `encode` may give. The last is a view on a part of a larger buffer. */
const shapes: Readonly<Record<string, (text: string) => unknown>> = {
  "a list of one text": (text) => [text],
  "a text": (text) => text,
  "a list of one Buffer": (text) => [Buffer.from(text)],
  "a Buffer": (text) => Buffer.from(text),
  "a list of one Uint8Array": (text) => [bytesOf(text)],
  "a list of one ArrayBuffer": (text) => [bytesOf(text).buffer],
  "a list of one view": (text) => [bytesOf(`__${text}__`).subarray(2, -2)],
};

onEveryHost("a custom parser", serverHostsAndApp, (host) => {
  for (const [what, wrap] of Object.entries(shapes)) {
    onEveryTransport((_name, mode) => {
      it(`may encode to ${what}`, async () => {
        await using running = await host.start({ parser: jsonParser(wrap) });
        const { client, socket } = await pair(running, { ...mode, parser: jsonParser((text) => [text]) });
        const heard = [next(client, "direct"), next(client, "broadcast")];
        socket.emit("direct", "é", 1);
        running.io.emit("broadcast", { a: [null] });
        assert.deepEqual(await Promise.all(heard), [["é", 1], [{ a: [null] }]]);
        client.once("q", (answer: (text: string) => void) => answer("ü"));
        assert.equal(await socket.emitWithAck("q"), "ü");
      });
    });
  }
});

onEveryHost("socket.io-msgpack-parser 2, with a client of Socket.IO 2", serverHostsAndApp, (host) => {
  // What it sends with bytes in it is of a type that the newer parser does not know.
  for (const transports of [["websocket"], ["polling"]] as const) {
    it(`exchanges events with a server with socket.io-msgpack-parser 3, over ${transports[0]}`, async () => {
      await using running = await host.start({ parser: msgpack, allowEIO3: true });
      const connection = next<[Socket]>(running.io, "connection");
      const options = { transports: [...transports], parser: oldMsgpack };
      const client = openOldClient(running.url, options);
      using _client = closing(() => client.close());
      const [[socket]] = await Promise.all([connection, next(client, "connect")]);
      const heard = next(socket, "up");
      client.emit("up", { text: "é" });
      assert.deepEqual(await heard, [{ text: "é" }]);
      const down = [next(client, "down"), next(client, "broadcast")];
      socket.emit("down", Buffer.from([2]));
      running.io.emit("broadcast", 3);
      assert.deepEqual(await Promise.all(down), [[Buffer.from([2])], [3]]);
    });
  }
});
