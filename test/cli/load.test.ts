// `tidewire load` against running servers.
import assert from "node:assert/strict";
import { loadCommand } from "../../packages/cli/src/commands/load.ts";
import { runCommand } from "../support/cli/run.ts";
import { Tidewire } from "../support/cli/tidewire.ts";
import { serverHosts } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";
import { next } from "../support/waiting/events.ts";

interface Results {
  readonly connections: { wanted: number; connected: number; latency?: { p50: number; max: number } };
  readonly transports: Record<string, number>;
  readonly events?: {
    sent: number;
    acknowledged: number;
    latency?: { p50: number; p95: number; p99: number; max: number };
    chart: { count: number }[];
  };
  readonly errors: Record<string, number>;
}

async function load({ url }: StartedServer, ...args: string[]): Promise<Results & { code: number }> {
  const common = ["--json", "--connect-rate", "1000", "--duration", "0.5", "--timeout", "2"];
  const { code, out } = await runCommand(loadCommand, [url, ...common, ...args]);
  return { code, ...(JSON.parse(out) as Results) };
}

for (const host of serverHosts) {
  describe(`tidewire load [${host.name}]`, () => {
    for (const transports of ["polling", "websocket"])
      it(`emits as many events as it was asked to, over ${transports}, and measures each answer`, async () => {
        await using server = await host.start();
        const received: unknown[] = [];
        const clients = new Set<string>();
        server.io.on("connection", (socket) => {
          socket.on("echo", (value: unknown, reply: (value: unknown) => void) => {
            received.push(value);
            clients.add(socket.id);
            reply(value);
          });
        });
        const args = ["-c", "5", "-e", "echo", "--data", '{"a":1}', "-r", "200", "--transports", transports];
        const { code, connections, events, errors, transports: used } = await load(server, ...args);
        assert.deepEqual([code, errors], [0, {}]);
        assert.deepEqual([connections.wanted, connections.connected], [5, 5]);
        assert.deepEqual(used, { [transports]: 5 });
        assert.deepEqual([events?.sent, events?.acknowledged], [100, 100]);
        assert.deepEqual(received, Array(100).fill({ a: 1 }));
        assert.equal(clients.size, 5);
        const { p50, p95, p99, max } = events!.latency!;
        assert.ok(0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= max);
        assert.equal(
          events?.chart.reduce((sum, { count }) => sum + count, 0),
          100,
        );
      });

    it("counts errors by their kind", async () => {
      await using server = await host.start();
      let seen = 0;
      server.io.use((_socket, then) => then(++seen % 2 === 0 ? new Error("no") : undefined));
      const { code, connections, events, errors } = await load(
        server,
        "-c",
        "4",
        "-e",
        "silence",
        "-r",
        "20",
      );
      assert.deepEqual([code, connections.connected, events?.acknowledged], [1, 2, 0]);
      assert.deepEqual(errors, { "connect: no": 2, "acknowledgement: timeout": 10 });
    });

    it("counts clients that the server disconnects", async () => {
      await using server = await host.start();
      server.io.on("connection", (socket) => void socket.disconnect());
      const { code, errors } = await load(server, "-c", "3");
      assert.deepEqual([code, errors], [1, { "disconnect: io server disconnect": 3 }]);
    });

    it("prints a report with a chart", async () => {
      await using server = await host.start();
      server.io.on("connection", (socket) => socket.on("echo", (reply: () => void) => reply()));
      const args = [server.url, "-c", "2", "-d", "0.2", "-e", "echo", "--transports", "websocket"];
      const { code, out, err } = await runCommand(loadCommand, args);
      assert.deepEqual([code, err], [0, ""]);
      assert.match(
        out,
        /^connections {3}2 of 2; at the end 2 websocket\nevents {8}20 of 20 acknowledged, \d+ per second\nerrors {8}none\n/,
      );
      assert.match(out, /^ +p50 +p95 +p99 +max\nconnect .*\nacknowledge .*\n\n/m);
      assert.match(out, /^≤ [\d.]+ m?s +█+ \d+ \([\d.]+ %\)$/m);
    });

    it("ends early on SIGINT, with a report", async function () {
      this.timeout(30_000);
      await using server = await host.start();
      await using tidewire = Tidewire.run(["load", server.url, "-c", "1", "-d", "60"]);
      await next(server.io, "connection");
      tidewire.signal("SIGINT");
      assert.equal(await tidewire.ended, 0);
      assert.match(tidewire.text, /^errors +none$/m);
    });
  });
}

describe("tidewire load", () => {
  for (const [args, message] of [
    [[], "name the server, such as: tidewire load http://localhost:3000"],
    [["http://a", "-c", "10001"], '--connections is a whole number from 1 to 10000, not "10001"'],
    [["http://a", "-r", "0"], '--rate is a whole number from 1 to 100000, not "0"'],
    [["http://a", "-d", "0"], '--duration is a number of seconds from 0.1 to 3600, not "0"'],
  ] as const)
    it(`refuses the arguments: ${args.join(" ") || "none"}`, async () => {
      const { code, err } = await runCommand(loadCommand, args);
      assert.deepEqual([code, err.split("\n")[0]], [2, `tidewire load: ${message}`]);
    });
});
