// Streams over events: uploads, downloads, and both at once.
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import ss from "socket.io-stream";
import { listen, ready } from "./program.mjs";

const io = await listen();

io.on("connection", (socket) => {
  ss(socket).on("upload", (stream, { name }, reply) => {
    const hash = createHash("sha256");
    let length = 0;
    stream.on("data", (chunk) => {
      length += chunk.length;
      hash.update(chunk);
    });
    stream.on("end", () => reply({ name, length, hash: hash.digest("hex") }));
  });
  ss(socket).on("download", (stream, { chunks, size }) => {
    const source = Readable.from(Array.from({ length: chunks }, (_, number) => Buffer.alloc(size, number)));
    void pipeline(source, stream);
  });
  ss(socket).on("upper case", (incoming, outgoing) => {
    incoming.on("data", (chunk) => outgoing.write(chunk.toString().toUpperCase()));
    incoming.on("end", () => outgoing.end());
  });
});

ready(io.httpServer);
