// Counts the functions between the callback of the host and a listener of the application.
import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import type { Socket } from "../support/server/socketio.ts";
import { countingHosts } from "./support/counting-hosts.ts";

/** Our sources, in a line of a stack. */
const OURS = /\/packages\/(engine|server|parser)\/src\//;

/** The lines of our sources in the current stack. */
function ourStack(): string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const { stack } = new Error("where this is called");
  Error.stackTraceLimit = limit;
  return stack!.split("\n").filter((line) => OURS.test(line));
}

interface Depths {
  /** In the engine, under a listener of a socket. */
  engine: number;
  /** In all packages, under a listener of a socket. */
  listener: number;
  /** Under a listener of `message` on the session. */
  message: number;
}

/** Limits for a text event; lower them after an improvement. */
const ceilings: Record<"uws" | "node" | "memory", Depths> = {
  // two of the host, its callback and the port; two above, the transport and the session
  uws: { engine: 4, listener: 12, message: 5 },
  // four of the host, two of which read frames
  node: { engine: 6, listener: 14, message: 7 },
  memory: { engine: 3, listener: 11, message: 4 },
};

onEveryHost("depth", countingHosts, (host) => {
  it("of the stack in the listener of a text event stays within the limits", async () => {
    await using server = await host.start();
    const stacks: Record<"listener" | "message", string[]> = { listener: [], message: [] };
    const heard = new Promise<void>((resolve) => {
      server.io.on("connection", (socket: Socket) => {
        socket.on("hello", () => void (stacks.listener = ourStack()));
        socket.conn.on("message", () => {
          stacks.message = ourStack();
          resolve();
        });
      });
    });
    const wire = await server.connect();
    wire.sendText('42["hello"]');
    await heard;
    const most = ceilings[host.name];
    const engine = stacks.listener.filter((line) => line.includes("/packages/engine/"));
    assert.ok(
      stacks.listener.length > 0 && engine.length > 0,
      "the listener was not reached through our sources",
    );
    assert.ok(engine.length <= most.engine, `${engine.length} of the engine:\n${engine.join("\n")}`);
    for (const name of ["listener", "message"] as const) {
      const stack = stacks[name];
      assert.ok(stack.length <= most[name], `${stack.length} under a ${name}:\n${stack.join("\n")}`);
    }
  });
});
