import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/** The public methods of each class, and the file that has them. */
const classes: Readonly<Record<string, { methods: string; file: string }>> = {
  Server: {
    methods:
      "listen attach attachApp attachServe bind onconnection of close use onError inspect stats serverSideEmit serverSideEmitWithAck path serveClient connectTimeout adapter",
    file: "server",
  },
  "Server and Namespace": {
    methods:
      "to in except local send write compress volatile timeout emitWithAck allSockets fetchSockets socketsJoin socketsLeave disconnectSockets revalidateSockets",
    file: "broadcasting-emitter",
  },
  Namespace: { methods: "use emit serverSideEmit serverSideEmitWithAck", file: "namespace" },
  ParentNamespace: { methods: "emit createChild", file: "parent-namespace" },
  Socket: {
    methods:
      "emit emitWithAck join leave leaveAll disconnect expiresAt revalidate timeout use compress volatile broadcast onAny prependAny offAny listenersAny onAnyOutgoing prependAnyOutgoing offAnyOutgoing listenersAnyOutgoing",
    file: "socket",
  },
  BroadcastOperator: {
    methods:
      "to in except compress volatile local timeout emit emitWithAck allSockets fetchSockets count socketsJoin socketsLeave disconnectSockets revalidateSockets",
    file: "broadcast-operator",
  },
  RemoteSocket: { methods: "timeout emit join leave disconnect", file: "remote-socket" },
};

/** Whether a docstring with an example stands in front of the method, or of one of its overloads. */
function hasExample(source: string, method: string): boolean {
  const declaration = new RegExp(`^  (?:override |async |get )*${method}[(<]`, "gm");
  return [...source.matchAll(declaration)].some(({ index }) => {
    const before = source.slice(0, index).trimEnd();
    return before.endsWith("*/") && before.slice(before.lastIndexOf("/**")).includes("@example");
  });
}

describe("docstrings", () => {
  for (const [name, { methods, file }] of Object.entries(classes)) {
    it(`show each public method of ${name} in an example`, () => {
      const source = readFileSync(new URL(`../src/${file}.ts`, import.meta.url), "utf8");
      const without = methods.split(" ").filter((method) => !hasExample(source, method));
      assert.deepEqual(without, []);
    });
  }
});
