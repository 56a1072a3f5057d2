// The client of the demo: the official socket.io-client, and what the page shows of its connection.
import type { Socket } from "socket.io-client";
import { computed, onBeforeUnmount, onMounted, reactive, ref } from "vue";
import type { ComputedRef, Ref } from "vue";
import { INTERVAL, SHOWN } from "../../site/demo-events.ts";
import type { ClientEvents, Level, Said, ServerEvents } from "../../site/demo-events.ts";

/** `static`: no server is behind this page. */
export type State = "static" | "connecting" | "connected" | "reconnecting";

/** A measurement; `isLate` if the client has missed it and got it later. */
export interface Point extends Level {
  isLate: boolean;
}

export interface Demo {
  state: Ref<State>;
  /** The state in words. */
  words: ComputedRef<string>;
  /** The transports of this connection, in their order. */
  trail: Ref<string[]>;
  /** The round trip in ms. */
  roundTrip: Ref<number | undefined>;
  sessionId: Ref<string>;
  /** What the server runs on. */
  host: Ref<string>;
  points: Point[];
  /** The number of the measurement that should be there by now. */
  expected: Ref<number>;
  messages: Said[];
  /** Messages that wait for the connection. */
  waiting: Ref<number>;
  say(text: string): void;
  cut(): void;
}

const PULSE_EVERY = 2000;
const MESSAGES = 3;

export function useDemo(): Demo {
  const state = ref<State>("connecting");
  const trail = ref<string[]>([]);
  const roundTrip = ref<number>();
  const sessionId = ref("");
  const host = ref("");
  const expected = ref(0);
  const waiting = ref(0);
  const points = reactive<Point[]>([]);
  const messages = reactive<Said[]>([]);
  /** What came of the last cut. */
  const outcome = ref("");
  let socket: Socket<ServerEvents, ClientEvents> | undefined;
  let newestBeforeCut: number | undefined;
  let lastArrival = 0;
  let timers: number[] = [];

  const words = computed(() => {
    switch (state.value) {
      case "static":
        return "No server is behind this copy of the page";
      case "connecting":
        return "Connecting";
      case "reconnecting":
        return "Cut: the client comes back by itself";
      case "connected":
        return outcome.value || "Connected";
    }
  });

  function add(level: Level, isLate = false): void {
    if (points.length > 0 && level.at <= points.at(-1)!.at) return;
    points.push({ ...level, isLate });
    if (points.length > SHOWN) points.shift();
    lastArrival = Date.now();
    expected.value = level.at;
  }

  function onWelcome(newest: number, levels: Level[]): void {
    if (levels.length > 0) {
      if (newestBeforeCut !== undefined)
        outcome.value = "Connected anew: the server has no state of this client";
      points.length = 0;
      for (const level of levels) add(level);
    } else if (newestBeforeCut !== undefined) {
      const missed = newest - newestBeforeCut;
      const late = points.filter(({ at }) => at > newestBeforeCut! && at <= newest);
      for (const point of late) point.isLate = true;
      const missing = missed - late.length;
      outcome.value = `Recovered: ${late.length} measurements came late, ${missing === 0 ? "none" : missing} missing`;
    }
    newestBeforeCut = undefined;
  }

  function pulse(): void {
    if (!socket?.connected) return;
    const sent = performance.now();
    socket.timeout(5000).emit("pulse", (error: Error | null) => {
      if (error === null) roundTrip.value = performance.now() - sent;
    });
  }

  async function start(): Promise<void> {
    // The server of `npm run docs` says so; anywhere else the page is a file.
    const { live } = document.documentElement.dataset;
    if (live === undefined) {
      state.value = "static";
      return;
    }
    host.value = live;
    const { io } = await import("socket.io-client");
    socket = io({ reconnectionDelay: 2200, reconnectionDelayMax: 4000, randomizationFactor: 0 });
    const { io: manager } = socket;
    manager.on("open", () => {
      const { engine } = manager;
      trail.value = [engine.transport.name];
      sessionId.value = engine.id ?? "";
      engine.on("upgrade", (transport) => trail.value.push(transport.name));
    });
    socket.on("connect", () => {
      state.value = "connected";
      pulse();
    });
    socket.on("disconnect", () => {
      state.value = "reconnecting";
      newestBeforeCut = points.at(-1)?.at;
      trail.value = [];
      roundTrip.value = undefined;
      sessionId.value = "";
    });
    socket.on("level", (level) => add(level));
    socket.on("welcome", onWelcome);
    socket.on("said", (message) => {
      messages.push(message);
      if (messages.length > MESSAGES) messages.shift();
    });
    timers = [
      window.setInterval(pulse, PULSE_EVERY),
      window.setInterval(() => {
        const newest = points.at(-1);
        if (newest === undefined || state.value === "connected") return;
        expected.value = newest.at + Math.floor((Date.now() - lastArrival) / INTERVAL);
      }, INTERVAL / 2),
    ];
  }

  onMounted(() => void start());
  onBeforeUnmount(() => {
    for (const timer of timers) clearInterval(timer);
    socket?.disconnect();
  });

  return {
    state,
    words,
    trail,
    roundTrip,
    sessionId,
    host,
    points,
    expected,
    messages,
    waiting,
    say(text) {
      waiting.value++;
      socket?.emit("say", text, () => waiting.value--);
    },
    cut() {
      outcome.value = "";
      socket?.emit("cut");
    },
  };
}
