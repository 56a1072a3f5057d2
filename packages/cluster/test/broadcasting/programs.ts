import type { Namespace, Server } from "@tidewire/server";
import type { Random } from "../../../../test/fuzz/random.ts";
import { settled } from "./nodes.ts";
import type { TestClient, TestNode } from "./nodes.ts";

const ROOMS = ["a", "b", "c"];
const NAMESPACES = ["/", "/n"];

/** How many nodes a program is for. */
export const NODES = 3;

/** What an application does on a node. `client` counts all clients; a client's node is {@link nodeOf}. */
type Step =
  | {
      does: "broadcast" | "ask";
      namespace: number;
      rooms: string[];
      except: string[];
      flags: Flags;
      binary: boolean;
      /** from a socket instead of the namespace */
      from?: number;
    }
  | { does: "emit" | "disconnect"; client: number; room?: undefined }
  | { does: "join" | "leave"; client: number; room: string }
  | { does: "sockets join" | "sockets leave"; namespace: number; rooms: string[]; room: string }
  | { does: "disconnect sockets"; namespace: number; rooms: string[] }
  | { does: "look"; namespace: number; rooms: string[]; except: string[] };

interface Flags {
  volatile: boolean;
  uncompressed: boolean;
  local: boolean;
}

/** What happens at the same time, by node. */
type Turn = Step[][];

export interface Program {
  /** The namespace of each client. */
  clients: number[];
  turns: Turn[];
}

/** The node of a client, where there are so many. */
export function nodeOf(client: number, nodes: number): number {
  return (client % NODES) % nodes;
}

export function randomProgram(random: Random): Program {
  const clients = Array.from({ length: random.between(2, 12) }, () => (random.chance(0.75) ? 0 : 1));
  const turns = Array.from({ length: random.between(2, 10) }, () => randomTurn(random, clients));
  return { clients, turns };
}

/** The same program with one step in each turn. */
export function oneByOne({ clients, turns }: Program): Program {
  const steps = turns.flatMap((turn) => turn.flatMap((list, node) => list.map((step) => ({ step, node }))));
  return {
    clients,
    turns: steps.map(({ step, node }) =>
      Array.from({ length: NODES }, (_, other) => (other === node ? [step] : [])),
    ),
  };
}

function randomTurn(random: Random, clients: number[]): Turn {
  const turn: Turn = Array.from({ length: NODES }, () => []);
  const steps = (node: number, draw: (node: number) => Step): void => {
    for (let count = random.between(1, 6); count > 0; count--) {
      const step = draw(node);
      turn[node]!.push(step);
      // What is found may show already what is done next, or not.
      if (step.does === "look") return;
    }
  };
  const one = random.below(NODES);
  const kind = random.below(10);
  // Who is where must be the same for all broadcasts of a turn, unless one node alone acts.
  if (kind < 3)
    for (let node = 0; node < NODES; node++) steps(node, () => randomBroadcast(random, clients, node));
  // What a volatile packet meets at its receivers depends on the number of nodes, unless it is alone.
  else if (kind === 3) turn[one]!.push(withFlags(randomBroadcast(random, clients, one), { volatile: true }));
  else steps(one, (node) => randomStep(random, clients, node));
  return turn;
}

function withFlags(step: Step, flags: Partial<Flags>): Step {
  return "flags" in step ? { ...step, flags: { ...step.flags, ...flags } } : step;
}

function some(random: Random, most: number): string[] {
  return ROOMS.filter(() => random.chance(most / ROOMS.length));
}

/** A client of the node, if it has one. */
function someClient(random: Random, clients: number[], node: number): number | undefined {
  const own = [...clients.keys()].filter((client) => nodeOf(client, NODES) === node);
  return own.length === 0 ? undefined : random.pick(own);
}

function randomBroadcast(random: Random, clients: number[], node: number): Step {
  const from = random.chance(0.3) ? someClient(random, clients, node) : undefined;
  return {
    does: random.chance(0.15) ? "ask" : "broadcast",
    namespace: from === undefined ? (random.chance(0.75) ? 0 : 1) : clients[from]!,
    rooms: random.chance(0.3) ? [] : some(random, 1.4),
    except: random.chance(0.7) ? [] : some(random, 1),
    flags: { volatile: false, uncompressed: random.chance(0.1), local: false },
    binary: random.chance(0.2),
    ...(from === undefined ? {} : { from }),
  };
}

function randomStep(random: Random, clients: number[], node: number): Step {
  const namespace = random.chance(0.75) ? 0 : 1;
  const client = someClient(random, clients, node);
  const withClient = client === undefined ? 0 : 1;
  return random.weighted<() => Step>([
    [10, () => randomBroadcast(random, clients, node)],
    [2 * withClient, () => ({ does: "emit", client: client! })],
    [6 * withClient, () => ({ does: "join", client: client!, room: random.pick(ROOMS) })],
    [2 * withClient, () => ({ does: "leave", client: client!, room: random.pick(ROOMS) })],
    [0.3 * withClient, () => ({ does: "disconnect", client: client! })],
    [2, () => ({ does: "sockets join", namespace, rooms: some(random, 1.4), room: random.pick(ROOMS) })],
    [1, () => ({ does: "sockets leave", namespace, rooms: some(random, 1.4), room: random.pick(ROOMS) })],
    [0.2, () => ({ does: "disconnect sockets", namespace, rooms: [random.pick(ROOMS)] })],
    [2, () => ({ does: "look", namespace, rooms: some(random, 1), except: some(random, 0.5) })],
  ])!();
}

/** What one client has received, or what was found, in order. */
export type Log = string[];

/**
 * Runs a program on the given nodes: on three of them, or on one that does it all.
 *
 * @returns for each turn, what each client has received of each node, and what each node has found
 */
export async function logsOf(program: Program, nodes: readonly TestNode[]): Promise<Log[]> {
  for (const { io } of nodes) for (const name of NAMESPACES) io.of(name);
  const clients: TestClient[] = [];
  for (const [number, namespace] of program.clients.entries()) {
    const client = await nodes[nodeOf(number, nodes.length)]!.connect(NAMESPACES[namespace]);
    client.answer = () => `["answer of ${number}"]`;
    clients.push(client);
  }
  const logs: Log[] = [];
  let count = 0;
  for (const turn of program.turns) {
    const found: Log = [];
    const waiting: Promise<unknown>[] = [];
    for (const [node, steps] of turn.entries()) {
      const { io } = nodes[node % nodes.length]!;
      for (const step of steps) {
        const tag = `node ${node}, step ${count++}`;
        const result = act(step, io, clients, tag);
        if (result !== undefined) waiting.push(result.then((text) => found.push(`${tag}: ${text}`)));
      }
    }
    await settled();
    await Promise.all(waiting);
    const received = clients.map((client) => client.take());
    for (let node = 0; node < NODES; node++) {
      for (const each of received) logs.push(fromNode(each, node));
    }
    // The rest of what was received: that a client was disconnected.
    logs.push(found.toSorted(), ...received.map((each) => each.filter((text) => !isOfProgram(text))));
  }
  return logs;
}

/** Whether the message is one of the program's, or an attachment. */
function isOfProgram(text: string): boolean {
  return text.includes("node ") || ATTACHMENT.test(text);
}

const ATTACHMENT = /^[0-9a-f]{8,}$/;

/** The messages from one node, with their attachments. */
function fromNode(received: readonly string[], node: number): Log {
  let isOfNode = false;
  return received.filter((text) => {
    if (text.includes("node ")) isOfNode = text.includes(`node ${node},`);
    else if (!ATTACHMENT.test(text)) isOfNode = false;
    return isOfNode;
  });
}

function act(
  step: Step,
  io: Server,
  clients: readonly TestClient[],
  tag: string,
): Promise<string> | undefined {
  if ("client" in step) {
    const { socket } = clients[step.client]!;
    if (step.does === "emit") socket.emit("direct", tag);
    else if (step.does === "disconnect") socket.disconnect();
    else if (step.does === "join") void socket.join(step.room);
    else if (step.does === "leave") void socket.leave(step.room);
    return undefined;
  }
  const nsp: Namespace = io.of(NAMESPACES[step.namespace]!);
  const rooms = nsp.to(step.rooms);
  switch (step.does) {
    case "sockets join":
      rooms.socketsJoin(step.room);
      return undefined;
    case "sockets leave":
      rooms.socketsLeave(step.room);
      return undefined;
    case "disconnect sockets":
      rooms.disconnectSockets();
      return undefined;
    case "look": {
      const target = rooms.except(step.except);
      return Promise.all([target.count(), target.fetchSockets()]).then(([count, sockets]) => {
        const inRooms = sockets.map((socket) =>
          [...socket.rooms]
            .filter((room) => room.length === 1)
            .sort()
            .join(""),
        );
        return `${count}, ${inRooms.sort().join(" ")}`;
      });
    }
    case "broadcast":
    case "ask":
      return broadcast(step, nsp, clients, tag);
  }
}

function broadcast(
  step: Step & { does: "broadcast" | "ask" },
  nsp: Namespace,
  clients: readonly TestClient[],
  tag: string,
): Promise<string> | undefined {
  const { rooms, except, flags, binary, from } = step;
  let target = from === undefined ? nsp.to(rooms) : clients[from]!.socket.to(rooms);
  if (except.length > 0) target = target.except(except);
  if (flags.volatile) target = target.volatile;
  if (flags.uncompressed) target = target.compress(false);
  const args = binary ? [tag, Buffer.from(tag)] : [tag];
  if (step.does === "broadcast") {
    target.emit("all", ...args);
    return undefined;
  }
  return target
    .timeout(1000)
    .emitWithAck("ask", ...args)
    .catch(({ responses }: { responses: unknown[] }) => ["not all", ...responses])
    .then((answers) => (answers as unknown[]).map(String).toSorted().join(", "));
}
