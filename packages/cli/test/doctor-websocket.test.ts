import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Refused, Wire } from "../src/doctor/websocket.ts";
import { next } from "../../../test/support/waiting/events.ts";

describe("the WebSocket of tidewire doctor", () => {
  it("is refused by an answer that never ends", async () => {
    const server = createServer().listen(0);
    server.on("upgrade", (_request, socket) => {
      const page = "x".repeat(16 * 1024);
      const write = (): void => {
        while (socket.writable && socket.write(page));
      };
      socket.on("error", () => {}).on("drain", write);
      socket.write("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n");
      write();
    });
    await next(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(Wire.open(new URL(`http://localhost:${port}/`), {}, 10_000), (error) => {
      assert.ok(error instanceof Refused);
      assert.equal(error.answer.status, 403);
      return true;
    });
    server.close();
    server.closeAllConnections();
  });
});
