import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, evaluate, output, pack, packageNames } from "./packed.ts";

const callable = `
const socketio = require("@tidewire/server");
const { Server } = socketio;
const io = socketio({ path: "/mine" });
const http = require("node:http").createServer();
const attached = socketio(http, { serveClient: false });
console.log(JSON.stringify({
  type: typeof socketio,
  names: Object.keys(socketio).sort(),
  classes: [socketio.Server, socketio.Namespace, socketio.Socket].map(({ name }) => name),
  instances: [io instanceof Server, attached instanceof Server, socketio() instanceof Server],
  path: io.path(),
  httpServer: attached.httpServer === http,
  serveClient: attached.serveClient(),
}));
`;

const same = (name: string): string => `
import { createRequire } from "node:module";
import * as wrapper from "@tidewire/${name}";
const required = createRequire(import.meta.url)("@tidewire/${name}");
const names = Object.keys(required).sort();
console.log(JSON.stringify({
  wrapper: Object.keys(wrapper).sort(),
  required: names,
  differing: names.filter((key) => wrapper[key] !== required[key]),
}));
`;

const types = `
import { createServer } from "node:http";
import { Server, Namespace, Socket } from "@tidewire/server";
import type { BroadcastOperator, DisconnectReason, ExtendedError, RemoteSocket, ServerOptions } from "@tidewire/server";
import { Server as Engine } from "@tidewire/engine";
import { Decoder, Encoder } from "@tidewire/parser";

interface FromClient { say: (text: string, done: (length: number) => void) => void }
interface ToClient { said: (by: string, text: string) => void }
interface Data { name: string }

const options: Partial<ServerOptions> = { path: "/x", cors: { origin: "*" } };
const io = new Server<FromClient, ToClient, Record<string, never>, Data>(createServer(), options);
io.use((socket, next) => {
  const refusal: ExtendedError = Object.assign(new Error("no"), { data: 1 });
  next(socket.handshake.auth["token"] === "t" ? undefined : refusal);
});
io.on("connection", (socket) => {
  socket.data.name = socket.id;
  socket.on("say", (text, done) => {
    socket.to("room").emit("said", socket.data.name, text);
    done(text.length);
  });
  socket.on("disconnect", (reason: DisconnectReason) => reason satisfies string);
  // @ts-expect-error an event that clients do not send
  socket.on("unknown", () => {});
  // @ts-expect-error an argument of another type
  socket.emit("said", 1, "text");
});
export const nsp: Namespace = new Server().of("/x");
export const room: BroadcastOperator<ToClient, Data> = io.to("room");
export const remote: Promise<RemoteSocket<ToClient, Data>[]> = io.fetchSockets();
export const internals: unknown[] = [Socket, Engine, Decoder, Encoder];
`;

describe("the installed packages", function () {
  this.timeout(60_000);
  before(() => pack());

  it("require() returns a callable with three classes, like require('socket.io'), and internals", async () => {
    assert.deepEqual(await evaluate("callable.cjs", callable), {
      type: "function",
      names: ["Namespace", "Server", "Socket", "internals"],
      classes: ["Server", "Namespace", "Socket"],
      instances: [true, true, true],
      path: "/mine",
      httpServer: true,
      serveClient: false,
    });
  });

  for (const name of packageNames) {
    it(`import of @tidewire/${name} has the names and values of require()`, async () => {
      const seen = (await evaluate(`same-${name}.mjs`, same(name))) as Record<
        "wrapper" | "required" | "differing",
        string[]
      >;
      assert.deepEqual(seen.wrapper, seen.required);
      assert.deepEqual(seen.differing, []);
      assert.ok(seen.required.length > 0);
    });
  }

  it("returns the version from package.json", async () => {
    const script = 'console.log(JSON.stringify(require("@tidewire/server/package.json").version))';
    assert.match(String(await evaluate("version.cjs", script)), /^4\./);
  });

  for (const extension of ["mts", "cts"] as const) {
    it(`compiles a typed application as .${extension} on module nodenext, libraries checked too`, async () => {
      const { folder } = await pack();
      const file = `types.${extension}`;
      writeFileSync(join(folder, file), types);
      const flags =
        "--noEmit --strict --module nodenext --target es2022 --types node --exactOptionalPropertyTypes";
      const { status, stdout } = await output(bin("tsc"), [...flags.split(" "), file], folder);
      assert.equal(stdout, "");
      assert.equal(status, 0);
    });
  }

  it("compiles require() as a call on module nodenext", async () => {
    const { folder } = await pack();
    const script =
      'import socketio = require("@tidewire/server");\nexport const io: socketio.Server = new socketio.Server();\n';
    writeFileSync(join(folder, "require.cts"), script);
    const flags = "--noEmit --strict --module nodenext --target es2022 --types node".split(" ");
    const { status, stdout } = await output(bin("tsc"), [...flags, "require.cts"], folder);
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
});
