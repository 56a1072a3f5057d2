// The client files that a server serves.
import { onServer } from "../scenario.ts";

const any = { transport: "any" } as const;

const files = ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"];

for (const file of files.flatMap((name) => [name, `${name}.map`])) {
  onServer(`files: ${file}`, any, async (run) => {
    await run.get(`/socket.io/${file}`);
  });
}

for (const [name, path] of Object.entries({
  "an unknown file": "/socket.io/nothing.js",
  "a file outside the folder": "/socket.io/../package.json",
  "a file with a query": "/socket.io/socket.io.min.js?v=1",
  "a file with a longer name": "/socket.io/socket.io.min.js.bak",
  "a file in a subfolder": "/socket.io/x/socket.io.min.js",
  "the folder": "/socket.io/",
})) {
  onServer(`files: ${name}`, any, async (run) => {
    await run.get(path);
  });
}

for (const encoding of ["gzip", "deflate", "br", "gzip, deflate, br", "identity", "*"]) {
  onServer(`files: with accept-encoding ${encoding}`, any, async (run) => {
    await run.get("/socket.io/socket.io.min.js", { headers: { "accept-encoding": encoding } });
  });
}

onServer("files: with if-none-match", any, async (run) => {
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
  onServer(`files: requested with ${method}`, any, async (run) => {
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

onServer("files: serveClient is false", { ...any, options: { serveClient: false } }, async (run) => {
  await run.get("/socket.io/socket.io.js");
});

onServer("files: at another path", { ...any, options: { path: "/chat" } }, async (run) => {
  await run.get("/chat/socket.io.js");
  await run.get("/socket.io/socket.io.js");
});
