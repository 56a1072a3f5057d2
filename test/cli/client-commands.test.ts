// `tidewire emit` and `tidewire listen` against running servers.
import assert from "node:assert/strict";
import { emitCommand } from "../../packages/cli/src/commands/emit.ts";
import { listenCommand } from "../../packages/cli/src/commands/listen.ts";
import { runCommand } from "../support/cli/run.ts";
import { Tidewire } from "../support/cli/tidewire.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { Socket as ServerSocket } from "socket.io";
import { next } from "../support/waiting/events.ts";

for (const host of serverHosts) {
  describe(`tidewire emit [${host.name}]`, () => {
    for (const transports of ["polling", "websocket", "polling,websocket"])
      it(`sends an event with its arguments over ${transports}`, async () => {
        await using server = await host.start();
        const received = new Promise<unknown[]>((resolve) => {
          server.io.on("connection", (socket) => socket.on("message", (...args) => resolve(args)));
        });
        const values = ["hello", '"7"', "7", '{"a":[null]}', "two words", "--", "-5", "--x"];
        const args = ["--transports", transports, server.url, "message", ...values];
        assert.deepEqual(await runCommand(emitCommand, args), { code: 0, out: "", err: "" });
        assert.deepEqual(await received, ["hello", "7", 7, { a: [null] }, "two words", -5, "--x"]);
      });

    it("prints the acknowledgement of an event in a namespace, with credentials and headers", async () => {
      await using server = await host.start();
      server.io.of("/admin").on("connection", (socket) => {
        socket.on("who", (reply: (...args: unknown[]) => void) =>
          reply(socket.handshake.auth["token"], socket.handshake.headers["x-test"], Buffer.from([1, 2])),
        );
      });
      const args = ["--ack", `${server.url}/admin`, "who", "--auth", '{"token":"x"}', "-H", "X-Test: yes"];
      const out = '"x"\n"yes"\n{"base64":"AQI="}\n';
      assert.deepEqual(await runCommand(emitCommand, args), { code: 0, out, err: "" });
    });

    it("fails if there is no acknowledgement in time, or a disconnection instead", async () => {
      await using server = await host.start();
      server.io.on("connection", (socket) => socket.on("leave", () => socket.disconnect()));
      const late = await runCommand(emitCommand, ["-a", "--timeout", "1.5", server.url, "nobody"]);
      assert.deepEqual(late, { code: 1, out: "", err: "tidewire emit: no acknowledgement within 1.5 s\n" });
      const left = await runCommand(emitCommand, ["-a", server.url, "leave"]);
      assert.deepEqual(left, {
        code: 1,
        out: "",
        err: "tidewire emit: disconnected: io server disconnect\n",
      });
    });

    for (const args of [[], ["--ack"]])
      it(`fails if the server disconnects the client as soon as it has joined [${args.join() || "no options"}]`, async () => {
        await using running = await host.start();
        running.io.on("connection", (socket) => socket.disconnect());
        const given = [...args, "--transports", "polling", running.url, "hello"];
        assert.deepEqual(await runCommand(emitCommand, given), {
          code: 1,
          out: "",
          err: "tidewire emit: disconnected: io server disconnect\n",
        });
      });

    it("says why the server refuses it", async () => {
      await using server = await host.start();
      server.io.use((_socket, then) => then(Object.assign(new Error("no"), { data: { code: 7 } })));
      const { code, err } = await runCommand(emitCommand, [server.url, "message"]);
      assert.deepEqual([code, err], [1, 'tidewire emit: no {"code":7}\n']);
    });
  });

  describe(`tidewire listen [${host.name}]`, () => {
    const greet = (socket: ServerSocket): void => {
      socket.emit("noise");
      socket.emit("hello", { to: "all" }, Buffer.from([1, 255]));
      socket.emit("bye");
    };

    it("prints events as lines, and ends after --count", async () => {
      await using server = await host.start();
      server.io.on("connection", greet);
      const { code, out, err } = await runCommand(listenCommand, [server.url, "--count", "2"]);
      assert.equal(code, 0);
      assert.match(
        out,
        /^\d\d:\d\d:\d\d\.\d{3} noise\n\d\d:\d\d:\d\d\.\d{3} hello \{"to":"all"\} "<2 bytes: 01ff>"\n$/,
      );
      assert.match(err, /^connected to http:\/\/127\.0\.0\.1:\d+\/ as \S{20}\n$/);
    });

    it("prints chosen events as JSON", async () => {
      await using server = await host.start();
      server.io.on("connection", greet);
      const args = [server.url, "-n", "2", "--json", "-e", "hello", "-e", "bye"];
      const { out } = await runCommand(listenCommand, args);
      const events = out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string; args: unknown[] });
      assert.deepEqual(
        events.map(({ event, args: values }) => [event, values]),
        [
          ["hello", [{ to: "all" }, { base64: "Af8=" }]],
          ["bye", []],
        ],
      );
    });

    it("connects again, and ends on SIGINT", async function () {
      this.timeout(30_000);
      await using server = await host.start();
      await using tidewire = Tidewire.run(["listen", server.url]);
      const [first] = await next<[ServerSocket]>(server.io, "connection");
      await tidewire.says(/^connected to/);
      const again = next<[ServerSocket]>(server.io, "connection");
      first.conn.close();
      const [second] = await again;
      await tidewire.says(/^disconnected: transport close$/);
      second.emit("back");
      await tidewire.says(/ back$/);
      tidewire.signal("SIGINT");
      assert.equal(await tidewire.ended, 0);
    });

    it("fails if the server disconnects it", async () => {
      await using server = await host.start();
      server.io.on("connection", (socket) => socket.disconnect());
      const { code, err } = await runCommand(listenCommand, [server.url]);
      assert.equal(code, 1);
      assert.match(err, /\ndisconnected: io server disconnect\n$/);
    });
  });
}

describe("tidewire emit and listen", () => {
  it("say that nothing listens", async () => {
    for (const [command, args] of [
      [emitCommand, ["http://127.0.0.1:1", "message"]],
      [listenCommand, ["http://127.0.0.1:1"]],
    ] as const) {
      const { code, err } = await runCommand(command, args);
      assert.equal(code, 1);
      assert.match(err, /xhr poll error/);
    }
  });

  for (const [command, args, message] of [
    [emitCommand, [], "name the server, such as: tidewire emit http://localhost:3000 message hello"],
    [emitCommand, ["http://a"], "name the event"],
    [emitCommand, ["http://a", "e", "{a"], "this is not valid JSON: {a"],
    [
      emitCommand,
      ["http://a", "e", "--auth", "x"],
      `--auth is an object in JSON, such as '{"token":"x"}', not x`,
    ],
    [
      emitCommand,
      ["http://a", "e", "--transports", "x"],
      '--transports is polling, websocket or polling,websocket, not "x"',
    ],
    [listenCommand, ["http://a", "e"], 'there is one server, and "e" is a second; --event names events'],
    [listenCommand, ["http://a", "-n", "0"], '--count is a whole number from 1 to 9007199254740991, not "0"'],
  ] as const)
    it(`refuse the arguments: ${command.name} ${args.join(" ")}`, async () => {
      const { code, err } = await runCommand(command, args);
      assert.deepEqual([code, err.split("\n")[0]], [2, `tidewire ${command.name}: ${message}`]);
    });
});
