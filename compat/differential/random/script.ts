// Random scenarios are scripts of plain data, so that a failing one can be printed, reduced and repeated.
import { Random } from "../../../test/fuzz/random.ts";
import { ways } from "../scenario.ts";

/** A value in a script; binary data is `{ "bytes": [1, 2] }`. */
export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };

export interface Target {
  rooms: string[];
  except: string[];
}

/** What the middleware that "guard" adds does with these events: refuses them, changes them, or passes them on later or twice. */
export type Tempting = "refused" | "changed" | "late" | "twice";

/** The modifiers of an event to one client. */
export interface Flags {
  compress?: boolean;
  volatile?: boolean;
}

/** Clients are numbered in the order in which they were opened. */
export type Step =
  | { do: "open"; way: keyof typeof ways; namespace: string; token: string; old: boolean }
  | { do: "join"; client: number; namespace: string; token: string }
  | { do: "emit" | "ask" | "relay"; client: number; args: Value[] }
  | { do: "tell" | "question"; client: number; args: Value[] }
  | { do: "tell flagged"; client: number; flags: Flags; args: Value[] }
  /** Asks without getting an answer in time. */
  | { do: "ask in vain"; client: number; from: Side; waits: boolean }
  /** Asks one side, which keeps the question until "answer kept", perhaps beyond a reconnection. */
  | { do: "ask to keep"; client: number; from: Side }
  | { do: "answer kept"; client: number; from: Side; args: Value[] }
  | { do: "guard"; client: number }
  | { do: "tempt"; client: number; event: Tempting; args: Value[] }
  | { do: "catch all"; client: number; how: "add" | "prepend" | "remove" | "remove all" }
  | { do: "remember"; client: number; name: string; value: Value }
  | { do: "broadcast"; namespace: string; target: Target; volatile: boolean; args: Value[] }
  | { do: "broadcast of"; client: number; target: Target; args: Value[] }
  | { do: "enter" | "leave"; client: number; room: string }
  | { do: "leave all"; client: number }
  | { do: "move"; namespace: string; rooms: string[]; target: Target; into: boolean }
  | { do: "poll all"; namespace: string; target: Target; isHeard: boolean }
  | { do: "create"; namespace: string }
  | { do: "look"; namespace: string }
  | { do: "disconnect" | "reconnect" | "cut" | "reset"; client: number }
  /** The application closes the connection of the engine. */
  | { do: "hang up"; client: number; discards: boolean }
  | { do: "kick"; client: number; close: boolean }
  | { do: "kick all"; namespace: string; target: Target; close: boolean }
  | { do: "packet"; text: string }
  /** Runs steps without waiting in between. */
  | { do: "together"; steps: Step[] };

export type Side = "client" | "server";

/** The options of the server. */
export interface Settings {
  recovery: "none" | "without middlewares" | "with middlewares";
  cleansUp: boolean;
  msgpack: boolean;
}

export interface Script {
  seed: number;
  settings: Settings;
  steps: Step[];
}

const namespaces = ["/", "/", "/a", "/guarded", "/dyn-1", "/dyn-2"];
/** These exist only after the step "create". */
const late = ["/nowhere", "/late"];
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
  const settings = settingsOf(random);
  const steps: Step[] = [open(random, settings)];
  let clients = 1;
  const count = random.between(4, 14);
  while (steps.length < count) {
    const step = random.chance(0.15) ? together(random, clients) : single(random, clients, settings);
    if (step.do === "open" || step.do === "join") clients++;
    steps.push(step);
    if (settings.recovery !== "none" && (step.do === "cut" || step.do === "reset")) {
      const missed = Array.from({ length: random.below(3) }, () => message(random, clients, false));
      steps.push(...missed, { do: "reconnect", client: step.client });
    }
  }
  steps.push({ do: "look", namespace: "/" }, { do: "look", namespace: "/a" });
  return { seed, settings, steps };
}

function settingsOf(random: Random): Settings {
  const recovery = random.weighted<Settings["recovery"]>([
    [6, "none"],
    [2, "without middlewares"],
    [1, "with middlewares"],
  ])!;
  // with recovery, an empty namespace stays until its sessions expire: an intended difference with its own scenarios
  const cleansUp = recovery === "none" && random.chance(0.3);
  return { recovery, cleansUp, msgpack: random.chance(0.15) };
}

function open(random: Random, { msgpack, recovery }: Settings): Step {
  const old = !msgpack && recovery === "none" && random.chance(0.2);
  return {
    do: "open",
    way: random.pick(oneWay),
    namespace: random.pick([...namespaces, ...late]),
    token: token(random),
    old,
  };
}

function token(random: Random): string {
  return random.chance(0.6) ? "ok" : "bad";
}

function single(random: Random, clients: number, settings: Settings): Step {
  const client = random.below(clients);
  const namespace = random.pick(namespaces);
  const recovers = settings.recovery !== "none";
  const step = random.weighted<() => Step>([
    [clients < 4 ? 4 : 0, () => open(random, settings)],
    [
      clients < 6 ? 2 : 0,
      () => ({ do: "join", client, namespace: random.pick([...namespaces, ...late]), token: token(random) }),
    ],
    // with recovery, volatile events are an intended difference with its own scenarios
    [9, () => message(random, clients, !recovers)],
    [4, () => question(random, clients)],
    [3, () => listening(random, client)],
    [3, () => ({ do: random.pick(["enter", "enter", "leave"]), client, room: random.pick(rooms) })],
    // a socket that has left its own room misses other events, its own broadcasts included
    [recovers ? 0 : 0.5, () => ({ do: "leave all", client })],
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
    [1, () => ({ do: "poll all", namespace, target: target(random), isHeard: random.chance(0.7) })],
    [1, () => ({ do: "look", namespace })],
    [1, () => ({ do: "remember", client, name: random.pick(["a", "b"]), value: value(random, 2) })],
    [0.3, () => ({ do: "create", namespace: random.pick(["/dyn-1", ...late]) })],
    [recovers ? 4 : 1, () => ({ do: random.pick(["cut", "reset"]), client })],
    [1, () => ({ do: "disconnect", client })],
    [recovers ? 5 : 2, () => ({ do: "reconnect", client })],
    [0.5, () => ({ do: "hang up", client, discards: random.chance(0.5) })],
    [1, () => ({ do: "kick", client, close: random.chance(0.4) })],
    [0.5, () => ({ do: "kick all", namespace, target: target(random), close: random.chance(0.4) })],
    // a raw client writes the default format
    [settings.msgpack ? 0 : 2, () => ({ do: "packet", text: random.pick(packets) })],
  ]);
  return step!();
}

/** A step that only sends. */
function message(random: Random, clients: number, isVolatile: boolean): Step {
  const client = random.below(clients);
  const namespace = random.pick(namespaces);
  const args = values(random);
  const volatile = isVolatile && random.chance(0.1);
  const step = random.weighted<() => Step>([
    [3, () => ({ do: random.pick(["emit", "ask", "relay"]), client, args })],
    [3, () => ({ do: random.pick(["tell", "question"]), client, args })],
    [1, () => ({ do: "tell flagged", client, flags: { compress: random.chance(0.5), volatile }, args })],
    [3, () => ({ do: "broadcast", namespace, target: target(random), volatile, args })],
    [1, () => ({ do: "broadcast of", client, target: target(random), args })],
  ]);
  return step!();
}

/** A step about answers that come late, or never. */
function question(random: Random, clients: number): Step {
  const client = random.below(clients);
  const from = random.pick(["client", "server"] as const);
  const step = random.weighted<() => Step>([
    [1, () => ({ do: "ask in vain", client, from, waits: random.chance(0.5) })],
    [2, () => ({ do: "ask to keep", client, from })],
    [2, () => ({ do: "answer kept", client, from, args: values(random) })],
  ]);
  return step!();
}

/** A step that changes what the server listens to, or shows what a middleware of a socket does. */
function listening(random: Random, client: number): Step {
  const step = random.weighted<() => Step>([
    [1, () => ({ do: "guard", client })],
    [
      2,
      () => ({
        do: "tempt",
        client,
        event: random.pick(["refused", "changed", "late", "twice"]),
        args: values(random),
      }),
    ],
    [
      2,
      () => ({
        do: "catch all",
        client,
        how: random.pick(["add", "add", "prepend", "remove", "remove all"]),
      }),
    ],
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
    const step = message(random, clients, false);
    if (step.do === "broadcast" || step.do === "broadcast of") return step;
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
