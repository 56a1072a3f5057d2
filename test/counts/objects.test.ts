import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { NetworkClient } from "../support/wire/network-client.ts";
import { closing } from "../support/waiting/closing.ts";
import { needUws } from "../support/uws/absent.ts";

const SERVER = fileURLToPath(new URL("support/idle-server.ts", import.meta.url));
const FROM_SOURCE = ["--conditions=@tidewire/source", "--import", "tsx/esm"];

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, "message")) as [T];
  return message;
}

/** Objects in the heap of a server by kind, for each idle connection over WebSocket. */
async function perConnection(host: "uws" | "node"): Promise<Map<string, number>> {
  const child = fork(SERVER, [host], { execArgv: FROM_SOURCE });
  using _child = closing(() => void child.kill());
  using client = new NetworkClient(await answer<number>(child));
  const open = async (count: number): Promise<Record<string, number>> => {
    for (let n = 0; n < count; n++) {
      const socket = await client.websocket("/socket.io/?EIO=4&transport=websocket");
      await socket.next();
      socket.sendText("40");
      await socket.next();
    }
    child.send("count");
    return answer(child);
  };
  const connections = 100;
  const before = await open(20);
  const after = await open(connections);
  const kinds = new Map<string, number>();
  for (const [kind, count] of Object.entries(after)) {
    const each = Math.round((count - (before[kind] ?? 0)) / connections);
    if (each !== 0) kinds.set(kind, each);
  }
  return kinds;
}

interface Ceilings {
  /** Objects of all kinds, closures included. */
  all: number;
  closures: number;
}

/**
 * Limits for each idle connection; lower them after an improvement. On node:http, most objects are those of Node and `ws`, so
 * the limit leaves room for other versions.
 */
const ceilings: Record<"uws" | "node", Ceilings> = {
  uws: { all: 13, closures: 0 },
  node: { all: 50, closures: 5 },
};

/** Kinds of objects that an idle connection must not have. */
const NONE = [
  "Map",
  "Set",
  "Timeout",
  "Immediate",
  "Promise",
  "Handshake",
  "URLSearchParams",
  "ServerResponse",
];

for (const host of ["uws", "node"] as const) {
  describe(`objects of an idle connection [${host}]`, () => {
    it("stay within the limits", async function () {
      this.timeout(120_000);
      if (host === "uws") needUws();
      const kinds = await perConnection(host);
      const list = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
      const all = [...kinds.values()].reduce((sum, count) => sum + count, 0);
      const most = ceilings[host];
      assert.equal(kinds.get("Session"), 1, list);
      assert.ok(all <= most.all, `${all} objects: ${list}`);
      assert.ok((kinds.get("closure") ?? 0) <= most.closures, `closures: ${list}`);
      for (const kind of NONE) assert.equal(kinds.get(kind), undefined, list);
    });
  });
}
