import assert from "node:assert/strict";
import * as parser from "socket.io-parser";
import { collect, next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket } from "../support/server/socketio.ts";
import { onEveryTransport, pair } from "../support/server/clients.ts";

const MEGABYTE = 1_000_000;

/** Together more than the default of `maxBackpressure`. */
const COUNT = 20;

class Decoder extends parser.Decoder {
  constructor() {
    // The client's parser accepts 10 by default.
    super({ maxAttachments: COUNT });
  }
}

function sendMany(socket: Socket): void {
  for (let index = 0; index < COUNT; index++) socket.emit("part", index, "x".repeat(MEGABYTE));
}

onEveryHost("server: bursts to a client that reads", serverHosts, (host) => {
  onEveryTransport((_, mode) => {
    it("arrive completely when a listener answers with many events of 1 MB", async () => {
      await using running = await host.start({ pingInterval: 60_000 });
      const { client, socket } = await pair(running, mode);
      socket.on("all", () => {
        sendMany(socket);
        // Another tick finds all of that waiting.
        setImmediate(() => socket.emit("behind"));
      });
      const parts = collect(client, "part", COUNT);
      const behind = next(client, "behind");
      client.emit("all");
      assert.deepEqual(
        (await parts).map(([index]) => index),
        Array.from({ length: COUNT }, (_each, index) => index),
      );
      await behind;
      assert.ok(socket.connected);
    }).timeout(30_000);

    it("arrive completely when an event has many attachments of 1 MB", async () => {
      await using running = await host.start({ pingInterval: 60_000 });
      const { client, socket } = await pair(running, { ...mode, parser: { ...parser, Decoder } });
      const sent = Array.from({ length: COUNT }, () => Buffer.alloc(MEGABYTE));
      socket.on("all", () => socket.emit("files", ...sent));
      const files = next<Buffer[]>(client, "files");
      client.emit("all");
      assert.deepEqual(
        (await files).map((file) => file.byteLength),
        Array<number>(COUNT).fill(MEGABYTE),
      );
      assert.ok(socket.connected);
    }).timeout(30_000);

    it("arrive completely when they are sent from the connection listener, with more a tick later", async () => {
      await using running = await host.start({ pingInterval: 60_000 });
      running.io.on("connection", (socket) => {
        sendMany(socket);
        setImmediate(() => socket.emit("behind"));
      });
      const client = running.client(mode);
      const parts = collect(client, "part", COUNT);
      await Promise.all([parts, next(client, "behind")]);
      assert.ok(client.connected);
    }).timeout(30_000);
  });
});
