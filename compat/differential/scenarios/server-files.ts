// The files of the client that a server serves.
import { onServer } from "../scenario.ts";

const any = { transport: "any" } as const;

const files = ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"];

for (const file of files.flatMap((name) => [name, `${name}.map`])) {
  onServer(`files: ${file}`, any, async (run) => {
    await run.get(`/socket.io/${file}`);
  });
}

for (const [name, path] of Object.entries({
  "one that is not there": "/socket.io/nothing.js",
  "one above": "/socket.io/../package.json",
  "one with a query": "/socket.io/socket.io.min.js?v=1",
  "one with a longer name": "/socket.io/socket.io.min.js.bak",
  "one in a folder": "/socket.io/x/socket.io.min.js",
  "the folder": "/socket.io/",
})) {
  onServer(`files: ${name}`, any, async (run) => {
    await run.get(path);
  });
}

for (const encoding of ["gzip", "deflate", "br", "gzip, deflate, br", "identity", "*"]) {
  onServer(`files: for a browser that takes ${encoding}`, any, async (run) => {
    await run.get("/socket.io/socket.io.min.js", { headers: { "accept-encoding": encoding } });
  });
}

onServer("files: known already", any, async (run) => {
  const { headers } = await run.get("/socket.io/socket.io.js");
  const etag = headers.etag!;
  await run.get("/socket.io/socket.io.js", { headers: { "if-none-match": etag }, lane: "known" });
  await run.get("/socket.io/socket.io.js", {
    headers: { "if-none-match": `W/${etag}` },
    lane: "known weakly",
  });
  await run.get("/socket.io/socket.io.js", { headers: { "if-none-match": '"other"' }, lane: "another" });
});

for (const method of ["HEAD", "POST", "OPTIONS"]) {
  onServer(`files: asked for by ${method}`, any, async (run) => {
    await run.http(method, "/socket.io/socket.io.js");
  });
}

onServer(
  "files: with CORS",
  { ...any, options: { cors: { origin: "http://page.example" } } },
  async (run) => {
    await run.get("/socket.io/socket.io.js", { headers: { origin: "http://page.example" } });
  },
);

onServer("files: not served", { ...any, options: { serveClient: false } }, async (run) => {
  await run.get("/socket.io/socket.io.js");
});

onServer("files: at another path", { ...any, options: { path: "/chat" } }, async (run) => {
  await run.get("/chat/socket.io.js");
  await run.get("/socket.io/socket.io.js");
});
