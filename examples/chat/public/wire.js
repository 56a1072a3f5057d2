// The connection, and the status line at the bottom of the page.
import { io } from "/socket.io/socket.io.esm.min.js";
import { load, store } from "./memory.js";
import { byId, element } from "./view.js";

const PULSE_EVERY = 3000;
/** After how many ms the page connects again, at first. */
const SOON = 400;
const ANSWER_WITHIN = 10_000;
const POLLING_ONLY = "polling";

const WORDS = {
  idle: "Not connected",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
};

/** Disconnect reasons in plain words. */
const REASONS = {
  "transport close": "the connection was lost",
  "transport error": "the connection was lost",
  "ping timeout": "the server has gone quiet",
  "parse error": "the server sent something unreadable",
  "io server disconnect": "the server ended the connection",
  "forced close": "this page cut it",
};

export class Wire {
  #socket;
  #nick = "";
  #trail = [];
  #wasOpen = false;
  /** The status line's text for a missing connection, and the protocol's reason. */
  #trouble;

  /** Called with the reason when the server refuses this page. */
  whenRefused = () => {};

  /** Called after a reconnection: whether the server has recovered the session, and how many messages were missed and are here now. */
  whenBack = () => {};

  constructor() {
    const address = new URL(location.href);
    const pollingOnly = (address.searchParams.get("transport") ?? load("transport")) === POLLING_ONLY;
    const choice = byId("no-websocket");
    choice.checked = pollingOnly;
    choice.addEventListener("change", () => this.#choose(choice.checked));

    this.#socket = io({
      autoConnect: false,
      auth: (give) => give({ nick: this.#nick }),
      reconnectionDelay: SOON,
      reconnectionDelayMax: 3000,
      ...transports(pollingOnly),
    });
    this.#watch();
    setInterval(() => this.#pulse(), PULSE_EVERY);
  }

  get isOpen() {
    return this.#socket.connected;
  }

  get nick() {
    return this.#nick;
  }

  get socketId() {
    return this.#socket.id;
  }

  /** Connects with a nickname. */
  open(nick) {
    this.#nick = nick;
    this.#tell("connecting");
    this.#socket.connect();
  }

  close() {
    this.#socket.disconnect();
  }

  on(event, handle) {
    this.#socket.on(event, handle);
  }

  off(event, handle) {
    this.#socket.off(event, handle);
  }

  /** Cuts the connection, as a tunnel does, and connects again after some ms. */
  cut(away) {
    const manager = this.#socket.io;
    if (!this.isOpen) return;
    manager.reconnectionDelay(away).randomizationFactor(0);
    manager.once("reconnect", () => manager.reconnectionDelay(SOON).randomizationFactor(0.5));
    manager.engine.close();
  }

  /** Shows the worker that has the session; undefined if there is one process only. */
  showWorker(worker) {
    byId("worker-line").hidden = !worker;
    if (!worker) return;
    byId("worker").textContent = `${worker.number} of ${worker.of}`;
    byId("worker").title = `Process ${worker.pid}`;
  }

  /** Sends an event, and calls `then` with the answer, or with undefined if none arrives in time. */
  ask(event, payload, then) {
    this.#socket.timeout(ANSWER_WITHIN).emit(event, payload, (late, reply) => {
      then(late ? undefined : reply);
    });
  }

  /** Sends an event that needs no answer. */
  tell(event, payload) {
    this.#socket.emit(event, payload);
  }

  /** Sends an event that may be lost. */
  mention(event, payload) {
    this.#socket.volatile.emit(event, payload);
  }

  #watch() {
    const socket = this.#socket;
    const manager = socket.io;

    manager.on("open", () => {
      const { engine } = manager;
      this.#trail = [engine.transport.name];
      byId("sid").textContent = byId("sid").title = engine.id;
      this.#showTrail();
      engine.on("upgrade", (transport) => {
        this.#trail.push(transport.name);
        this.#showTrail();
        this.#pulse();
      });
    });

    // After a recovery, what was missed comes before "connect".
    let missed = 0;
    let isReady = false;
    socket.onAny((event) => {
      if (event === "message" && !isReady) missed++;
    });
    socket.on("connect", () => {
      if (this.#wasOpen) this.whenBack(socket.recovered, missed);
      isReady = true;
      missed = 0;
      this.#wasOpen = true;
      byId("socket-id").textContent = byId("socket-id").title = socket.id;
      this.#tell("connected");
      this.#pulse();
    });
    socket.on("disconnect", (reason) => {
      isReady = false;
      this.#forget();
      this.#tell(socket.active ? "reconnecting" : "idle", REASONS[reason], reason);
    });
    socket.on("connect_error", (error) => {
      // The client retries network errors itself, but not a refusal by the server.
      const state = this.#wasOpen ? "reconnecting" : "connecting";
      if (socket.active) return this.#tell(state, "the server does not answer", error.message);
      this.#tell("idle");
      this.whenRefused(error.message);
    });
    for (const event of ["online", "offline"]) {
      addEventListener(event, () => !this.isOpen && this.#trouble && this.#tell(...this.#trouble));
    }
  }

  #choose(pollingOnly) {
    const address = new URL(location.href);
    if (pollingOnly) address.searchParams.set("transport", POLLING_ONLY);
    else address.searchParams.delete("transport");
    history.replaceState(null, "", address);
    store("transport", pollingOnly ? POLLING_ONLY : "");

    const wasOpen = this.#socket.active;
    this.#socket.disconnect();
    Object.assign(this.#socket.io.opts, transports(pollingOnly));
    if (wasOpen) this.open(this.#nick);
  }

  #pulse() {
    if (!this.isOpen || document.hidden) return;
    const sent = performance.now();
    this.#socket.timeout(ANSWER_WITHIN).emit("pulse", (late) => {
      if (late) return;
      const took = performance.now() - sent;
      byId("rtt").textContent = took < 10 ? `${took.toFixed(1)} ms` : `${Math.round(took)} ms`;
    });
  }

  #showTrail() {
    byId("wire").dataset.transport = this.#trail.at(-1) ?? "none";
    const past = this.#trail.slice(0, -1).map((name) => `${name} → `);
    byId("trail").replaceChildren(...past, element("b", {}, this.#trail.at(-1) ?? "–"));
  }

  #forget() {
    this.#trail = [];
    this.#showTrail();
    for (const id of ["sid", "socket-id", "rtt"]) {
      byId(id).textContent = "–";
      byId(id).removeAttribute("title");
    }
  }

  #tell(state, reason = "", title = "") {
    this.#trouble = reason ? [state, reason, title] : undefined;
    byId("wire").dataset.state = state;
    const plain = reason && !navigator.onLine ? "this device is offline" : reason;
    const words = plain ? `${WORDS[state]}: ${plain}` : WORDS[state];
    // Each attempt fails in the same way: announce it once to screen readers.
    if (byId("state").textContent !== words) byId("state").textContent = words;
    byId("state").title = title;
  }
}

function transports(pollingOnly) {
  return { transports: pollingOnly ? ["polling"] : ["polling", "websocket"] };
}
