import assert from "node:assert/strict";
import { ClusterAdapter } from "socket.io-adapter";
import type { ClusterMessage, ClusterResponse } from "socket.io-adapter";
import { MemoryServer } from "./memory.ts";
import type { AdapterConstructor } from "../src/options.ts";

/** Two or more servers of one process, joined the way published adapters join machines. */
function cluster(): AdapterConstructor {
  const members = new Set<ClusterAdapter>();
  return class extends ClusterAdapter {
    constructor(nsp: unknown) {
      super(nsp);
      members.add(this);
    }

    override serverCount(): Promise<number> {
      return Promise.resolve(members.size);
    }

    override doPublish(message: ClusterMessage): Promise<string> {
      for (const member of members) {
        if (member !== this) Reflect.apply(onMessage, member, [message]);
      }
      return Promise.resolve("");
    }

    override doPublishResponse(requester: string, response: ClusterResponse): Promise<void> {
      for (const member of members) {
        if (Reflect.get(member, "uid") === requester) Reflect.apply(onResponse, member, [response]);
      }
      return Promise.resolve();
    }
  };
}
// Protected: called here in place of a broker.
const { onMessage, onResponse } = ClusterAdapter.prototype as unknown as Record<
  "onMessage" | "onResponse",
  (message: unknown) => void
>;

describe("servers of a cluster", () => {
  it("reach each other's clients", async () => {
    const adapter = cluster();
    await using near = new MemoryServer({ adapter });
    await using far = new MemoryServer({ adapter });
    const [poller] = await far.join();
    const response = poller.get();
    near.io.emit("a", 1);
    assert.deepEqual(await response, ['42["a",1]']);
  });

  it("collect the answers of all clients", async () => {
    const adapter = cluster();
    await using near = new MemoryServer({ adapter });
    await using far = new MemoryServer({ adapter });
    const [here, there] = [(await near.join())[0], (await far.join())[0]];
    const answers = near.io.timeout(1000).emitWithAck("q");
    await here.post('430["near"]');
    await there.post('430["far"]');
    assert.deepEqual(await answers, ["near", "far"]);
  });

  it("show each other their sockets", async () => {
    const adapter = cluster();
    await using near = new MemoryServer({ adapter });
    await using far = new MemoryServer({ adapter });
    const [poller, socket] = await far.join();
    socket.data.name = "Ada";
    const [remote] = await near.io.fetchSockets();
    assert.ok(remote);
    assert.deepEqual(
      [remote.id, remote.data, remote.handshake.url],
      [socket.id, { name: "Ada" }, socket.handshake.url],
    );
    const response = poller.get();
    remote.emit("a");
    assert.deepEqual(await response, ['42["a"]']);
  });

  it("send each other events, and answer them", async () => {
    const adapter = cluster();
    await using near = new MemoryServer({ adapter });
    await using far = new MemoryServer({ adapter });
    far.io.on("ping", (answer: (pong: string) => void) => answer("pong"));
    near.io.on("ping", () => assert.fail());
    assert.deepEqual(await near.io.serverSideEmitWithAck("ping"), ["pong"]);
  });
});
