import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Rule } from "../src/migrate/rule.ts";
import { RULES } from "../src/migrate/rules.ts";
import { uncommented, withoutHashes } from "../src/migrate/uncommented.ts";

const official = 'import { Server } from "socket.io";\n';

/** A file, what it contains where the rule is about it, and what it contains where it is not. */
const examples: Readonly<Record<string, readonly [file: string, about: string, notAbout: string]>> = {
  package: ["package.json", '"socket.io": "^4.8.1",', '"socket.io": "npm:@tidewire/server@4.9.0",'],
  "deep-import": [
    "a.ts",
    'import { Socket } from "socket.io/dist/socket";',
    'import { io } from "socket.io-client/dist/socket.io.js";',
  ],
  "engine-internals": ["a.js", "io.engine.verify(req, false, done);", "io.engine.use(verify);"],
  blob: ["a.js", 'socket.emit("file", new Blob(["x"]));', 'socket.emit("file", Buffer.from("x"));'],
  sticky: ["a.js", 'const { setupWorker } = require("@socket.io/sticky");', "// sticky sessions"],
  "nginx-http-1.0": [
    "site.conf",
    "  proxy_pass http://app;",
    "  proxy_pass http://app;\n  proxy_http_version 1.1;",
  ],
  "haproxy-check": ["haproxy.cfg", "  option httpchk", "  option httpchk GET / HTTP/1.1\\r\\nHost:\\ a"],
  "apache-http-1.0": ["site.conf", "SetEnv force-proxy-request-1.0 1", "# SetEnv force-proxy-request-1.0 1"],
  alpine: ["Dockerfile", "FROM node:22-alpine AS build", "FROM node:22-slim"],
  port: [
    "a.ts",
    `${official}const io = new Server<A, B>(3000);`,
    `${official}const io = new Server(httpServer);`,
  ],
  "http-settings": [
    "a.js",
    `${official}httpServer.keepAliveTimeout = 65_000;`,
    "httpServer.keepAliveTimeout = 65_000;",
  ],
  "request-socket": ["a.js", "socket.request.socket.remotePort", "socket.request.socket.remoteAddress"],
  "cluster-listening": ["a.js", 'cluster.on("listening", ready);', 'server.on("listening", ready);'],
  "attach-app": ["a.js", "io.attachApp(app);", "io.attach(httpServer);"],
  "connection-error": ["a.js", 'io.engine.on("connection_error", log);', 'io.on("connection", log);'],
  "forced-server-close": [
    "a.js",
    'if (reason === "forced server close") return;',
    'if (reason === "forced close") return;',
  ],
  "allow-upgrades": ["a.js", "allowUpgrades: false,", "allowUpgrades: true,"],
  deflate: ["a.js", "perMessageDeflate: { threshold: 1 },", "perMessageDeflate: false,"],
  "http-compression": ["a.js", "httpCompression: true,", "httpCompression: { threshold: 0 },"],
  "no-effect": ["a.js", "maxBufferedChunks: 10,", "maxHttpBufferSize: 10,"],
  "acks-without-timeout": [
    "a.js",
    'await io.to("room").emitWithAck("question");',
    'await io.to("room").timeout(1000).emitWithAck("question");',
  ],
};

function isAbout({ files, line, alsoIn, unless }: Rule, file: string, text: string): boolean {
  const code = file.endsWith(".conf") ? withoutHashes(text) : uncommented(text);
  if (!files.test(file) || alsoIn?.test(code) === false || unless?.test(code) === true) return false;
  return code.split("\n").some((each) => line.test(each));
}

describe("the rules of tidewire migrate", () => {
  for (const rule of RULES) {
    it(`${rule.id}: finds its example, and nothing in what is well`, () => {
      const [file, about, notAbout] = examples[rule.id]!;
      assert.equal(isAbout(rule, file, about), true, about);
      assert.equal(isAbout(rule, file, notAbout), false, notAbout);
    });

    it(`${rule.id}: says what the documentation says`, () => {
      const [page, words] = rule.from;
      const text = readFileSync(new URL(`../../../${page}`, import.meta.url), "utf8");
      assert.ok(text.includes(words), `${page} does not say: ${words}`);
    });
  }

  it("have one name each", () => {
    const ids = RULES.map(({ id }) => id);
    assert.deepEqual(ids.toSorted(), Object.keys(examples).toSorted());
  });
});

describe("code without comments", () => {
  for (const [title, code, expected] of [
    ["keeps strings that look like comments", 'a("http://x"); // b', 'a("http://x");     '],
    ["keeps lines", "a /* b\nc */ d", "a     \n     d"],
    ["keeps templates", "`//${a}` // b", "`//${a}`     "],
    ["keeps quotes in strings", String.raw`'\'//' // b`, String.raw`'\'//'     `],
    [
      "keeps escaped slashes of regular expressions",
      String.raw`/\/\/a/.test(b)`,
      String.raw`/\/\/a/.test(b)`,
    ],
  ] as const)
    it(title, () => assert.equal(uncommented(code), expected));
});
