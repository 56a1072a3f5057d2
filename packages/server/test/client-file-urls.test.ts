import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Server } from "@tidewire/server";
import { listen } from "../../../test/support/hosts/listening.ts";
import { clientFileOf } from "../src/client-files/files.ts";

describe("the URL of a client file", () => {
  it("is the path, a slash, the name, and maybe a query", () => {
    assert.equal(clientFileOf("/socket.io/socket.io.js", "/socket.io"), "socket.io.js");
    assert.equal(clientFileOf("/mine/socket.io.min.js.map?v=1", "/mine"), "socket.io.min.js.map");
  });

  it("names only client files", () => {
    for (const name of ["package.json", "../package.json", "socket.io.js/", "", "..%2fpackage.json"]) {
      assert.equal(clientFileOf(`/socket.io/${name}`, "/socket.io"), undefined);
    }
    assert.equal(clientFileOf("/other/socket.io.js", "/socket.io"), undefined);
  });
});

describe("attachServe()", () => {
  it("serves the client files before the other listeners", async () => {
    const httpServer = createServer((_req, res) => res.end("mine"));
    new Server({ cors: { origin: "https://example.com" } }).attachServe(httpServer);
    using server = await listen(httpServer);
    const url = `http://localhost:${server.port}`;

    const file = await fetch(`${url}/socket.io/socket.io.min.js`, { headers: { "accept-encoding": "gzip" } });
    assert.match(await file.text(), /^\/\*!\n \* Socket\.IO v4/);
    const header = (name: string): string | null => file.headers.get(name);
    assert.deepEqual(["content-encoding", "content-type", "cache-control", "vary"].map(header), [
      "gzip",
      "application/javascript; charset=utf-8",
      "public, max-age=0",
      "Origin, Accept-Encoding",
    ]);
    assert.equal(header("access-control-allow-origin"), "https://example.com");

    const known = { "if-none-match": header("etag") as string };
    assert.equal((await fetch(`${url}/socket.io/socket.io.min.js`, { headers: known })).status, 304);
    assert.equal(await (await fetch(`${url}/elsewhere`)).text(), "mine");
  });
});

describe("Server.sendFile()", () => {
  it("answers a request with a file, without the headers of cors", async () => {
    const io = new Server({ cors: { origin: "https://example.com" } });
    const httpServer = createServer((req, res) => {
      if (req.url === "/static") Server.sendFile("socket.io.min.js", req, res);
      else io.serve(io.extractFilename(req.url as string), req, res);
    });
    using server = await listen(httpServer);
    const url = `http://localhost:${server.port}`;
    const answers = await Promise.all([fetch(`${url}/static`), fetch(`${url}/socket.io/socket.io.min.js?x`)]);
    assert.deepEqual(
      answers.map(({ headers }) => headers.get("access-control-allow-origin")),
      [null, "https://example.com"],
    );
    const [one, two] = await Promise.all(answers.map((answer) => answer.text()));
    assert.match(String(one), /^\/\*!\n \* Socket\.IO v4/);
    assert.equal(one, two);
  });
});
