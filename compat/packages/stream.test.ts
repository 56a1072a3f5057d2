import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Readable, type Duplex } from "node:stream";
import type { Socket } from "socket.io-client";
import { connected } from "../../test/support/server/clients.ts";
import { within } from "../../test/support/waiting/queue.ts";
import { application } from "./support/application.ts";
import { connect, program, published } from "./support/published.ts";

/** The exports of the package, which has no types. */
interface Streams {
  (socket: Socket): { emit(event: string, ...args: unknown[]): void };
  createStream(): Duplex;
}

published("socket.io-stream", (host) => {
  const server = program("stream", host);
  let streams: Streams;
  before(async () => {
    const require = createRequire(join(await application(), "package.json"));
    streams = require("socket.io-stream") as Streams;
  });

  for (const transport of ["polling", "websocket"]) {
    describe(`over ${transport}`, () => {
      const open = async (): Promise<Socket> => {
        const client = connect(server().url, { transports: [transport] });
        await connected(client);
        return client;
      };

      it("uploads a file", async () => {
        const client = await open();
        const stream = streams.createStream();
        const parts = Array.from({ length: 20 }, (_, number) => Buffer.alloc(50_000, number));
        const answer = new Promise((resolve) => {
          streams(client).emit("upload", stream, { name: "file" }, resolve);
        });
        Readable.from(parts).pipe(stream);
        const hash = createHash("sha256").update(Buffer.concat(parts)).digest("hex");
        assert.deepEqual(await within(answer, "the upload"), {
          name: "file",
          length: 1_000_000,
          hash,
        });
      });

      it("downloads a file", async () => {
        const client = await open();
        const stream = streams.createStream();
        streams(client).emit("download", stream, { chunks: 20, size: 50_000 });
        const bytes = await within(content(stream), "the download");
        assert.equal(bytes.length, 1_000_000);
        for (let number = 0; number < 20; number++) assert.equal(bytes[number * 50_000 + 49_999], number);
      });

      it("exchanges two streams in one event", async () => {
        const client = await open();
        const [outgoing, incoming] = [streams.createStream(), streams.createStream()];
        streams(client).emit("upper case", outgoing, incoming);
        outgoing.write("hello ");
        outgoing.end("world");
        assert.equal((await within(content(incoming), "the answer")).toString(), "HELLO WORLD");
      });
    });
  }
});

function content(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => resolve(Buffer.concat(parts)));
    stream.on("error", reject);
  });
}
