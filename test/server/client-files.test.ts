import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { Server } from "@tidewire/server";
import { noteUncaught } from "../support/process/uncaught.ts";
import { serve } from "../support/server/serve.ts";
import type { Server as OfficialServer } from "../support/server/socketio.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { KeptConnection } from "../support/wire/kept-connection.ts";
import { NetworkClient } from "../support/wire/network-client.ts";
import type { WireResponse } from "../support/wire/client.ts";

import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHosts } from "../support/server/hosts.ts";

const official = join(
  dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json")),
  "dist",
);
const files = ["", ".min", ".esm.min", ".msgpack.min"].flatMap((kind) => [
  `socket.io${kind}.js`,
  `socket.io${kind}.js.map`,
]);

type Get = (path: string, headers?: Record<string, string>) => Promise<WireResponse>;

function getFrom(running: StartedServer): Get {
  const wire = new NetworkClient(running.port);
  running.closeWith(() => wire.close());
  return (path, headers = {}) => wire.get(path, { headers });
}

onEveryHost("client files", serverHosts, (host) => {
  for (const file of files) {
    it(`${file} is the official file, byte for byte`, async () => {
      await using running = await host.start();
      const get = getFrom(running);
      const { status, headers, raw } = await get(`/socket.io/${file}`);
      assert.equal(status, 200);
      assert.ok(raw.equals(await readFile(join(official, file))));
      const type = file.endsWith(".map") ? "application/json" : "application/javascript";
      assert.equal(headers["content-type"], `${type}; charset=utf-8`);
      assert.equal(headers["cache-control"], "public, max-age=0");
      assert.match(String(headers.etag), /^"[^"]+"$/);
      assert.equal(headers["content-encoding"], undefined);
    });
  }

  const encodings = { br: brotliDecompressSync, gzip: gunzipSync, deflate: inflateSync } as const;
  for (const [encoding, decompress] of Object.entries(encodings)) {
    it(`is compressed with ${encoding} when the client asks for it`, async () => {
      await using running = await host.start();
      const get = getFrom(running);
      const { headers, raw } = await get("/socket.io/socket.io.js", { "accept-encoding": encoding });
      assert.equal(headers["content-encoding"], encoding);
      const plain = await readFile(join(official, "socket.io.js"));
      assert.ok(raw.length < plain.length);
      assert.ok(decompress(raw).equals(plain));
    });
  }

  it("takes the first encoding that the client names", async () => {
    await using running = await host.start();
    const get = getFrom(running);
    for (const [accepted, encoding] of [
      ["gzip, deflate, br", "gzip"],
      ["br, gzip", "br"],
      ["gzip;q=0.5, br", "br"],
    ]) {
      const { headers } = await get("/socket.io/socket.io.js", { "accept-encoding": String(accepted) });
      assert.equal(headers["content-encoding"], encoding);
    }
  });

  it("respects q=0 of an encoding", async () => {
    await using running = await host.start();
    const get = getFrom(running);
    const { headers } = await get("/socket.io/socket.io.js", { "accept-encoding": "br;q=0, gzip" });
    assert.equal(headers["content-encoding"], "gzip");
  });

  for (const prefix of ["", "W/"]) {
    it(`answers 304 without a body to the ETag${prefix && " as a weak one"}`, async () => {
      await using running = await host.start();
      const get = getFrom(running);
      const { etag } = (await get("/socket.io/socket.io.js")).headers;
      const { status, raw } = await get("/socket.io/socket.io.js", {
        "if-none-match": prefix + String(etag),
      });
      assert.equal(status, 304);
      assert.equal(raw.length, 0);
    });
  }

  it("answers 200 to another ETag", async () => {
    await using running = await host.start();
    const get = getFrom(running);
    assert.equal((await get("/socket.io/socket.io.js", { "if-none-match": '"other"' })).status, 200);
  });

  it("ignores the query", async () => {
    await using running = await host.start();
    const get = getFrom(running);
    assert.equal((await get("/socket.io/socket.io.min.js?v=2")).status, 200);
  });

  it("follows the path of the server", async () => {
    await using running = await host.start({ path: "/chat/" });
    const get = getFrom(running);
    assert.equal((await get("/chat/socket.io.js")).status, 200);
  });

  it("has CORS headers if cors is set", async () => {
    await using running = await host.start({ cors: { origin: "http://app.test", credentials: true } });
    const get = getFrom(running);
    const { headers } = await get("/socket.io/socket.io.js", { origin: "http://app.test" });
    assert.equal(headers["access-control-allow-origin"], "http://app.test");
    assert.equal(headers["access-control-allow-credentials"], "true");
  });

  it("has no CORS headers if cors is not set", async () => {
    await using running = await host.start();
    const get = getFrom(running);
    const { headers } = await get("/socket.io/socket.io.js", { origin: "http://app.test" });
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  for (const path of [
    "socket.io.mjs",
    "package.json",
    "../package.json",
    "..%2fpackage.json",
    "socket.io.js/",
    "x/socket.io.js",
    "",
  ]) {
    it(`answers the protocol error to /socket.io/${path}`, async () => {
      await using running = await host.start();
      const get = getFrom(running);
      const { status, body } = await get(`/socket.io/${path}`);
      assert.equal(status, 400);
      assert.deepEqual(JSON.parse(body), { code: 0, message: "Transport unknown" });
    });
  }

  it("are not served with serveClient: false", async () => {
    await using running = await host.start({ serveClient: false });
    const get = getFrom(running);
    assert.equal((await get("/socket.io/socket.io.js")).status, 400);
  });

  it("answers HEAD with only the headers", async () => {
    await using running = await host.start();
    using wire = new NetworkClient(running.port);
    const { status, headers, raw } = await wire.request("HEAD", "/socket.io/socket.io.js");
    assert.deepEqual([status, raw.length], [200, 0]);
    assert.equal(headers["content-type"], "application/javascript; charset=utf-8");
  });

  it("answers HEAD with the length of the file", async () => {
    await using running = await host.start();
    using wire = new NetworkClient(running.port);
    const { raw } = await wire.request("GET", "/socket.io/socket.io.js");
    const { headers } = await wire.request("HEAD", "/socket.io/socket.io.js");
    assert.equal(headers["content-length"], String(raw.length));
  });

  it("answers the next request of a connection after a HEAD", async () => {
    await using running = await host.start();
    using connection = await KeptConnection.open(running.port);
    connection.write("HEAD /socket.io/socket.io.js HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const head = await connection.saw("\r\n\r\n");
    assert.equal(head.match(/content-length/gi)?.length, 1);
    connection.write("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.match(await connection.saw('"maxPayload"'), /HTTP\/1\.1 200 OK[^]*\r\n\r\n0\{"sid"/);
  });
});

describe("io.serve()", () => {
  it("leaves a response alone that the application has sent before the file was read", async () => {
    const io = new Server();
    const httpServer = createServer((request, response) => {
      io.serve("socket.io.js", request, response);
      if (request.url === "/late") response.writeHead(503).end("too late");
    });
    using noted = noteUncaught();
    await using running = await serve(io as unknown as OfficialServer, httpServer);
    const response = await fetch(`${running.url}/late`);
    assert.deepEqual([response.status, await response.text()], [503, "too late"]);
    assert.equal((await fetch(`${running.url}/socket.io.js`)).status, 200);
    assert.deepEqual(noted.errors, []);
  });
});
