// A server in its own process, so that its heap has no other objects. On the message "count", it sends the number of objects
// of each kind.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { getHeapSnapshot } from "node:v8";
import { Server } from "@tidewire/server";
import { collectGarbage } from "../../support/process/garbage.ts";

const onUws = process.argv[2] === "uws";
const httpServer = createServer();
const io = onUws ? new Server(0, { host: "uws" }) : new Server(httpServer);
if (!onUws) await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));

function echo(this: { emit(event: string, value: unknown): unknown }, value: unknown): void {
  this.emit("echo", value);
}
io.on("connection", (socket) => void socket.on("echo", echo));

interface Snapshot {
  snapshot: { meta: { node_fields: string[]; node_types: [string[], ...unknown[]] } };
  nodes: number[];
  strings: string[];
}

/** Objects by constructor, closures and arrays by kind. */
async function count(): Promise<Record<string, number>> {
  collectGarbage();
  const { snapshot, nodes, strings } = JSON.parse(await text(getHeapSnapshot())) as Snapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const counts: Record<string, number> = {};
  for (let i = 0; i < nodes.length; i += fields.length) {
    const kind = types[0][nodes[i + fields.indexOf("type")]!]!;
    if (kind !== "object" && kind !== "closure") continue;
    const key = kind === "closure" ? "closure" : strings[nodes[i + fields.indexOf("name")]!]!;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

process.on("message", () => void count().then((counts) => process.send?.(counts)));
process.on("disconnect", () => process.exit());
process.send?.(((onUws ? io.httpServer : httpServer).address() as AddressInfo).port);
