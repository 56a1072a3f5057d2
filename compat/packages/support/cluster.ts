// A cluster of server processes with two official clients on each, one over WebSocket, one over long-polling.
import assert from "node:assert/strict";
import type { Socket } from "socket.io-client";
import { connected } from "../../../test/support/server/clients.ts";
import { next } from "../../../test/support/waiting/events.ts";
import { PATIENCE, within } from "../../../test/support/waiting/queue.ts";
import { Detour } from "./detour.ts";
import { runProgram, type HostName, type Listening, type Program } from "./program.ts";
import { connect } from "./published.ts";

/** A method and its arguments. */
export type Step = [method: string, ...args: unknown[]];

/** One server. */
export class ClusterNode {
  readonly listening: Listening;
  /** Where its clients connect. */
  readonly url: string;

  constructor(listening: Listening, url: string = listening.url) {
    this.listening = listening;
    this.url = url;
  }

  /** Calls methods on the root namespace, each on the previous result: `io(["to", "room"], ["emit", "hello"])`. */
  io<T>(...steps: Step[]): Promise<T> {
    return this.of<T>("/", ...steps);
  }

  /** The same on a namespace. */
  of<T>(namespace: string, ...steps: Step[]): Promise<T> {
    return this.listening.call<T>("io", namespace, ...steps);
  }

  /** The same on the socket of this server with this name. */
  socket(name: string, ...steps: Step[]): Promise<void> {
    return this.listening.call("socket", name, ...steps);
  }

  /** The same on the socket with this name, on any server. */
  remote<T>(name: string, ...steps: Step[]): Promise<T> {
    return this.listening.call<T>("remote", name, ...steps);
  }

  /** The names of its namespaces. */
  namespaces(): Promise<string[]> {
    return this.listening.call("namespaces");
  }

  /** The arguments of each `serverSideEmit("note", …)` of others since the last call. */
  notes(): Promise<unknown[][]> {
    return this.listening.call("notes");
  }

  serverCount(namespace: string): Promise<number> {
    return this.listening.call("serverCount", namespace);
  }

  /** How many servers are linked, this one included. */
  linkedCount(): Promise<number> {
    return this.listening.call("linkedCount");
  }

  /** The number of its own sockets. */
  localCount(): Promise<number> {
    return this.listening.call("localCount");
  }

  /** Kills the process, like a crash. */
  kill(): Promise<void> {
    return this.listening.kill();
  }
}

/** A client of the cluster, and the events that it received. */
export interface Member {
  readonly name: string;
  readonly client: Socket;
  readonly heard: unknown[][];
}

export interface MemberOptions {
  readonly name: string;
  readonly rooms?: readonly string[];
  readonly namespace?: string;
  readonly transport?: "websocket" | "polling";
  /** The state to recover. */
  readonly session?: { readonly pid: string; readonly offset: string };
}

/** Connects a client to a server; resolves when it has joined its rooms. */
export async function join(url: string, options: MemberOptions): Promise<Member> {
  const { name, rooms, namespace = "", transport = "websocket", session } = options;
  const client = connect(url + namespace, { transports: [transport], auth: { name, rooms, ...session } });
  const heard: unknown[][] = [];
  const ready = next(client, "joined");
  ready.catch(() => {});
  await connected(client);
  await ready;
  client.onAny((...args: unknown[]) => {
    if (args[0] !== "fence") heard.push(args);
  });
  client.on("question", (value: string, reply: (answer: string) => void) => {
    if (value !== "silence" || name === "a1") reply(`${name} heard ${value}`);
  });
  return { name, client, heard };
}

/** The servers of a suite. */
export class Cluster {
  nodes: ClusterNode[] = [];
  #programs: Program[] = [];
  #detour: Detour | undefined;
  #fences = 0;

  /** Starts the servers as child processes. On uWebSockets.js, the last one attaches to an app, the others listen on a port. */
  async start(host: HostName, given: object, count: number): Promise<void> {
    const numbers = Array.from({ length: count }, (_, number) => number);
    this.#programs = await Promise.all(
      numbers.map((number) => {
        const own = { name: `server ${number}`, attachApp: number === count - 1 };
        return runProgram("node-of-cluster", host, { ...given, ...own });
      }),
    );
    const listening = await Promise.all(this.#programs.map((program) => program.listening(1)));
    this.nodes = listening.flat().map((one) => new ClusterNode(one));
  }

  /** Starts the servers as workers of node:cluster. */
  async startWorkers(host: HostName, given: object, count: number): Promise<void> {
    const primary = await runProgram("cluster-primary", host, { ...given, count });
    this.#programs = [primary];
    this.nodes = (await primary.listening(count)).map((one) => new ClusterNode(one));
  }

  /** From here on, requests of sessions on long-polling reach another server than that of the session. */
  async lead(): Promise<void> {
    const linked = (): Promise<number[]> => Promise.all(this.nodes.map((node) => node.linkedCount()));
    await eventually(linked, (all) => all.every((count) => count === this.nodes.length));
    const detour = await Detour.to(this.nodes.map(({ url }) => Number(new URL(url).port)));
    this.#detour = detour;
    this.nodes = this.nodes.map(
      ({ listening }, index) => new ClusterNode(listening, `http://127.0.0.1:${detour.ports[index]}`),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([this.#detour?.end(), ...this.#programs.map((program) => program.stop())]);
  }

  /** The stderr of the programs. */
  get stderr(): string {
    return this.#programs.map(({ stderr }) => stderr).join("");
  }

  /** Waits until every server counts all servers, and no others. */
  async complete(namespace = "/"): Promise<void> {
    const counts = (): Promise<number[]> =>
      Promise.all(this.nodes.map((node) => node.serverCount(namespace)));
    await eventually(counts, (all) => all.every((count) => count === this.nodes.length));
  }

  /** Waits until no server has a client. */
  async deserted(): Promise<void> {
    const counts = (): Promise<number[]> => Promise.all(this.nodes.map((node) => node.localCount()));
    await eventually(counts, (all) => all.every((count) => count === 0));
  }

  node(number: number): ClusterNode {
    const node = this.nodes[number];
    assert.ok(node, `there is no server ${number}`);
    return node;
  }

  /** Connects two clients to each server, `a0` over WebSocket and `a1` over long-polling to the first, and so on. */
  async members(rooms: Readonly<Record<string, readonly string[]>> = {}): Promise<Member[]> {
    const wanted = this.nodes.flatMap((node, number) => {
      const letter = "abc"[number] ?? "";
      return [
        { node, name: `${letter}0`, transport: "websocket" },
        { node, name: `${letter}1`, transport: "polling" },
      ] as const;
    });
    return Promise.all(
      wanted.map(({ node, name, transport }) =>
        join(node.url, {
          name,
          transport,
          rooms: Object.keys(rooms).filter((room) => rooms[room]?.includes(name)),
        }),
      ),
    );
  }

  /** Waits until all members received everything that the server has sent so far. */
  async fence(node: Pick<ClusterNode, "io">, members: readonly Member[]): Promise<void> {
    const number = ++this.#fences;
    const all = members.map(({ client, name }) => {
      const come = new Promise<void>((resolve) => {
        client.on("fence", function fence(got: number) {
          if (got !== number) return;
          client.off("fence", fence);
          resolve();
        });
      });
      return within(come, `fence ${number} at ${name}`, PATIENCE);
    });
    await node.io(["emit", "fence", number]);
    await Promise.all(all);
  }
}

/** The names of the members that received an event. */
export function hearers(members: readonly Member[]): string[] {
  return members.filter(({ heard }) => heard.length > 0).map(({ name }) => name);
}

/** Repeats `ask` until its result satisfies the condition: processes take a moment to learn about each other. */
export async function eventually<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (Date.now() > end) assert.fail(`the last result was ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
