// Random scenarios are scripts of plain data, so that a failing one can be printed, reduced and repeated.
import { Random } from "../../../test/fuzz/random.ts";
import { ways } from "../scenario.ts";

/** A value in a script; binary data is `{ "bytes": [1, 2] }`. */
export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };

export interface Target {
  rooms: string[];
  except: string[];
}

/** Clients are numbered in the order in which they were opened. */
export type Step =
  | { do: "open"; way: keyof typeof ways; namespace: string; token: string; old: boolean }
  | { do: "join"; client: number; namespace: string; token: string }
  | { do: "emit" | "ask" | "relay"; client: number; args: Value[] }
  | { do: "tell" | "question"; client: number; args: Value[] }
  | { do: "broadcast"; namespace: string; target: Target; volatile: boolean; args: Value[] }
  | { do: "broadcast of"; client: number; target: Target; args: Value[] }
  | { do: "enter" | "leave"; client: number; room: string }
  | { do: "move"; namespace: string; rooms: string[]; target: Target; into: boolean }
  | { do: "poll all"; namespace: string; target: Target }
  | { do: "look"; namespace: string }
  | { do: "disconnect" | "reconnect" | "cut"; client: number }
  | { do: "kick"; client: number; close: boolean }
  | { do: "kick all"; namespace: string; target: Target; close: boolean }
  | { do: "packet"; text: string }
  /** Runs steps without waiting in between. */
  | { do: "together"; steps: Step[] };

export interface Script {
  seed: number;
  steps: Step[];
}

const namespaces = ["/", "/", "/a", "/guarded", "/dyn-1", "/dyn-2", "/nowhere"];
const rooms = ["red", "blue", "green"];
const oneWay = Object.keys(ways) as (keyof typeof ways)[];

/** Valid and invalid packets that the raw client sends, before and after it joins. */
const packets = [
  "40",
  "40/a,",
  "40/nowhere,",
  '40{"token":"ok"}',
  "41",
  "41/a,",
  '42["x",1]',
  '42/a,["x",1]',
  '421["ask","x"]',
  '42["disconnect"]',
  "42[]",
  "42{",
  "430[]",
  "44{}",
  '451-["x",{"_placeholder":true,"num":0}]',
  "46",
  "47",
  "2",
  "3",
  "5",
  "6",
  "9",
];

/** Generates a script; the same seed gives the same script. */
export function scriptOf(seed: number): Script {
  const random = new Random(seed);
  const steps: Step[] = [open(random)];
  let clients = 1;
  const count = random.between(4, 14);
  while (steps.length < count) {
    const step = random.chance(0.15) ? together(random, clients) : single(random, clients);
    if (step.do === "open" || step.do === "join") clients++;
    steps.push(step);
  }
  steps.push({ do: "look", namespace: "/" }, { do: "look", namespace: "/a" });
  return { seed, steps };
}

function open(random: Random): Step {
  const old = random.chance(0.2);
  return {
    do: "open",
    way: random.pick(oneWay),
    namespace: random.pick(namespaces),
    token: token(random),
    old,
  };
}

function token(random: Random): string {
  return random.chance(0.6) ? "ok" : "bad";
}

function single(random: Random, clients: number): Step {
  const client = random.below(clients);
  const namespace = random.pick(namespaces.slice(0, -1));
  const step = random.weighted<() => Step>([
    [clients < 4 ? 4 : 0, () => open(random)],
    [
      clients < 6 ? 2 : 0,
      () => ({ do: "join", client, namespace: random.pick(namespaces), token: token(random) }),
    ],
    [9, () => message(random, clients)],
    [3, () => ({ do: random.pick(["enter", "enter", "leave"]), client, room: random.pick(rooms) })],
    [
      1,
      () => ({
        do: "move",
        namespace,
        rooms: some(random),
        target: target(random),
        into: random.chance(0.6),
      }),
    ],
    [1, () => ({ do: "poll all", namespace, target: target(random) })],
    [1, () => ({ do: "look", namespace })],
    [1, () => ({ do: random.pick(["disconnect", "cut"]), client })],
    [2, () => ({ do: "reconnect", client })],
    [1, () => ({ do: "kick", client, close: random.chance(0.4) })],
    [0.5, () => ({ do: "kick all", namespace, target: target(random), close: random.chance(0.4) })],
    [2, () => ({ do: "packet", text: random.pick(packets) })],
  ]);
  return step!();
}

/** A step that only sends. */
function message(random: Random, clients: number): Step {
  const client = random.below(clients);
  const namespace = random.pick(namespaces.slice(0, -1));
  const args = values(random);
  const step = random.weighted<() => Step>([
    [3, () => ({ do: random.pick(["emit", "ask", "relay"]), client, args })],
    [3, () => ({ do: random.pick(["tell", "question"]), client, args })],
    [3, () => ({ do: "broadcast", namespace, target: target(random), volatile: random.chance(0.1), args })],
    [1, () => ({ do: "broadcast of", client, target: target(random), args })],
  ]);
  return step!();
}

/** Several messages in a row, from the server or from one client: the order between clients is not guaranteed. */
function together(random: Random, clients: number): Step {
  const count = random.between(2, 6);
  const client = random.below(clients);
  const isUp = random.chance(0.4);
  const steps = Array.from({ length: count }, (): Step => {
    if (isUp) return { do: "emit", client, args: values(random) };
    const step = message(random, clients);
    if (step.do === "broadcast" || step.do === "broadcast of")
      return { ...step, ...(step.do === "broadcast" ? { volatile: false } : {}) };
    return { do: "tell", client: random.below(clients), args: values(random) };
  });
  return { do: "together", steps };
}

function some(random: Random): string[] {
  return rooms.filter(() => random.chance(0.4));
}

function target(random: Random): Target {
  return { rooms: random.chance(0.5) ? some(random) : [], except: random.chance(0.3) ? some(random) : [] };
}

function values(random: Random): Value[] {
  return Array.from({ length: random.below(4) }, () => value(random, 0));
}

function value(random: Random, depth: number): Value {
  const made = random.weighted<() => Value>([
    [4, () => random.pick(["", "text", "é€😀", "\u0000\u2028", "42[]", "x".repeat(random.below(300))])],
    [3, () => random.pick([0, -1, 1.5, 2 ** 53, random.below(1000)])],
    [2, () => random.pick([true, false, null])],
    [2, () => ({ bytes: Array.from({ length: random.below(20) }, () => random.below(256)) })],
    [depth < 3 ? 1 : 0, () => Array.from({ length: random.below(3) }, () => value(random, depth + 1))],
    [depth < 3 ? 1 : 0, () => ({ name: value(random, depth + 1), other: value(random, depth + 1) })],
  ]);
  return made!();
}
