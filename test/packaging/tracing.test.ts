import assert from "node:assert/strict";
import { evaluate, pack } from "./packed.ts";

/**
 * What `@opentelemetry/instrumentation-socket.io` does: when a file of that name is loaded it wraps methods of the class the
 * file exports, and reads from `this` where the event goes.
 */
const wrapping = `
const Module = require("node:module");
const files = { "dist/socket.js": "Socket", "dist/broadcast-operator.js": "BroadcastOperator" };
const calls = [], found = {};
const nameOf = (self) => self.nsp?.name || self.name || self.adapter?.nsp?.name || self.sockets?.name;
const wrap = (prototype, method, label) => {
  const original = prototype[method];
  prototype[method] = function (event, ...args) {
    const rooms = this.rooms || this._rooms || this.sockets?._rooms || this.sockets?.rooms;
    if (!event.startsWith("_")) calls.push([label, event, nameOf(this), label.startsWith("Broadcast") ? [...rooms] : undefined]);
    return original.call(this, event, ...args);
  };
};
const load = Module._load;
Module._load = function (request, parent, isMain) {
  const exports = load.call(this, request, parent, isMain);
  const path = Module._resolveFilename(request, parent, isMain);
  for (const [file, name] of Object.entries(files)) {
    if (!path.endsWith("/server/" + file) || found[file]) continue;
    found[file] = typeof exports[name];
    wrap(exports[name].prototype, "emit", name + ".emit");
    if (name === "Socket") wrap(exports[name].prototype, "on", name + ".on");
  }
  return exports;
};
`;

const application = `
wrap(Server.prototype, "on", "Server.on");
const io = new Server(0, { host: "node" });
io.on("connection", (socket) => {
  calls.length = 0;
  socket.on("up", () => {
    socket.emit("direct");
    socket.emitWithAck("asked").then((answer) => {
      socket.join("room");
      socket.to("elsewhere").emit("to others");
      io.to("room").emit("to room");
      io.emit("to all");
      console.log(JSON.stringify({ found, calls: calls.filter(([, event]) => event !== "error"), answer }));
      client.close();
      io.close();
    });
  });
});
const client = connect("http://127.0.0.1:" + io.httpServer.address().port, { transports: ["websocket"] });
client.on("asked", (answer) => answer("yes"));
client.emit("up");
`;

const ways = {
  "tracing.cjs": `${wrapping}
const { Server } = require("@tidewire/server");
const { io: connect } = require("socket.io-client");
${application}`,
  "tracing.mjs": `
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
${wrapping}
const { Server } = await import("@tidewire/server");
const { io: connect } = await import("socket.io-client");
${application}`,
} as const;

describe("tracing by wrapped methods", function () {
  this.timeout(60_000);
  before(() => pack());

  for (const [file, script] of Object.entries(ways)) {
    it(`sees listeners and emitted events, in ${file}`, async () => {
      assert.deepEqual(await evaluate(file, script), {
        found: { "dist/socket.js": "function", "dist/broadcast-operator.js": "function" },
        calls: [
          ["Socket.on", "up", "/", null],
          ["Socket.emit", "direct", "/", null],
          ["Socket.emit", "asked", "/", null],
          ["BroadcastOperator.emit", "to others", "/", ["elsewhere"]],
          ["BroadcastOperator.emit", "to room", "/", ["room"]],
          ["BroadcastOperator.emit", "to all", "/", []],
        ],
        answer: "yes",
      });
    });
  }
});
