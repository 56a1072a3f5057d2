// Random programs of events, of clients that lose their connection and come back to any node, on nodes whose journal is in Redis,
// and on one server with recovery in memory: each client receives the same. FUZZ_SEED repeats a failure, FUZZ_PROGRAMS makes a longer run.
import assert from "node:assert/strict";
import type { Socket } from "@tidewire/server";
import { Server } from "@tidewire/server";
import { Random } from "../fuzz/random.ts";
import { answerMarks, RecoveringClient, RecoveringNodes } from "../support/cluster/recovering-nodes.ts";
import { describeWithRedis } from "../support/redis/redis-server.ts";
import { StartedServer } from "../support/server/started-server.ts";

const { FUZZ_SEED, FUZZ_PROGRAMS } = process.env;
const count = Number(FUZZ_PROGRAMS ?? 5);
const first = Number(FUZZ_SEED ?? (FUZZ_PROGRAMS === undefined ? 1 : Date.now() % 2 ** 31));

const NODES = 3;
const CLIENTS = 4;
const ROOMS = ["a", "b", "c"];

type Step =
  | { does: "broadcast"; node: number; rooms: string[]; except: string[]; binary: boolean; volatile: boolean }
  | { does: "emit" | "drop" | "break line"; client: number }
  | { does: "join" | "leave"; client: number; room: string }
  | { does: "come back"; client: number; node: number };

function randomProgram(random: Random): Step[] {
  const isConnected = Array.from({ length: CLIENTS }, () => true);
  return Array.from({ length: random.between(10, 40) }, () => {
    const client = random.below(CLIENTS);
    const node = random.below(NODES);
    const some = (chance: number): string[] => ROOMS.filter(() => random.chance(chance));
    if (!isConnected[client] && random.chance(0.4)) {
      isConnected[client] = true;
      return { does: "come back", client, node };
    }
    if (isConnected[client] && random.chance(0.25)) {
      isConnected[client] = false;
      return { does: random.chance(0.3) ? "break line" : "drop", client };
    }
    if (isConnected[client] && random.chance(0.4)) {
      return random.chance(0.4)
        ? { does: "emit", client }
        : { does: random.chance(0.7) ? "join" : "leave", client, room: random.pick(ROOMS) };
    }
    const rooms = random.chance(0.4) ? [] : some(0.4);
    const except = random.chance(0.7) ? [] : some(0.3);
    return {
      does: "broadcast",
      node,
      rooms,
      except,
      binary: random.chance(0.2),
      volatile: random.chance(0.1),
    };
  });
}

/** Where a program runs. */
interface Place {
  readonly nodes: readonly { readonly io: Server; readonly port: number; readonly url: string }[];
  settled(): Promise<void>;
}

/** Runs a program. Returns what each client has received, and what it was when it came back. */
async function run(program: readonly Step[], place: Place): Promise<string[][]> {
  const { nodes } = place;
  const at = (node: number): Place["nodes"][number] => nodes[node % nodes.length]!;
  const clients: RecoveringClient[] = [];
  for (let client = 0; client < CLIENTS; client++)
    clients.push(await RecoveringClient.connect(at(client), {}));
  const logs: string[][] = clients.map(() => []);
  const socketOf = ({ id }: RecoveringClient): Socket =>
    nodes.map(({ io }) => io.sockets.sockets.get(id)).find((socket) => socket?.connected)!;
  const settle = async (): Promise<void> => {
    await place.settled();
    await Promise.all(clients.map((client) => client.settled()));
    for (const [index, client] of clients.entries()) logs[index]!.push(...client.take());
  };
  try {
    for (const [number, step] of program.entries()) {
      const client = "client" in step ? clients[step.client]! : clients[0]!;
      switch (step.does) {
        case "broadcast": {
          const { io } = at(step.node);
          let target = io.to(step.rooms).except(step.except);
          if (step.volatile) target = target.volatile;
          target.emit("all", number, ...(step.binary ? [Buffer.from([number])] : []));
          break;
        }
        case "emit":
          socketOf(client).emit("direct", number);
          break;
        case "join":
          await socketOf(client).join(step.room);
          break;
        case "leave":
          await socketOf(client).leave(step.room);
          break;
        case "drop":
          await client.drop();
          break;
        case "break line":
          await client.breakLine();
          break;
        case "come back": {
          const { id } = client;
          await client.back(at(step.node));
          const rooms = [...socketOf(client).rooms].filter((room) => room !== client.id);
          logs[step.client]!.push(
            `recovered: ${client.socket.recovered}, ${client.id === id}, in ${rooms.toSorted().join()}`,
          );
        }
      }
      await settle();
    }
  } finally {
    for (const client of clients) client.close();
  }
  return logs;
}

async function onOneServer(program: readonly Step[]): Promise<string[][]> {
  const io = new Server(0, { host: "node", connectionStateRecovery: {} });
  io.on("connection", answerMarks);
  await using running = StartedServer.of(io as never);
  const { port, url } = running;
  return await run(program, { nodes: [{ io, port, url }], settled: async () => {} });
}

describeWithRedis("recovery on several nodes: fuzzing", function () {
  this.timeout(0);

  it(`is that of one server, in ${count} random programs from ${first} on`, async () => {
    await using cluster = await RecoveringNodes.start(NODES);
    for (let seed = first; seed < first + count; seed++) {
      const program = randomProgram(new Random(seed));
      const expected = await onOneServer(program);
      const found = await run(program, { nodes: cluster.nodes, settled: () => cluster.settled() });
      // What is refused in memory is refused here, and nothing else.
      assert.deepEqual(found, expected, `FUZZ_SEED=${seed} ${JSON.stringify(program)}`);
      for (const { events } of cluster.nodes) assert.deepEqual(events, []);
    }
  });
});
