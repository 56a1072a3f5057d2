// The connection, and the line at the foot of the page that tells its state.
import { load, store } from "./memory.js";
import { byId, element } from "./view.js";

const PULSE_EVERY = 3000;
const ANSWER_WITHIN = 10_000;
const POLLING_ONLY = "polling";

const WORDS = {
  idle: "Not connected",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
};

export class Wire {
  #socket;
  #nick = "";
  #trail = [];

  /** Called with the reason when the server does not let this page in. */
  whenRefused = () => {};

  constructor() {
    const address = new URL(location.href);
    const pollingOnly = (address.searchParams.get("transport") ?? load("transport")) === POLLING_ONLY;
    const choice = byId("no-websocket");
    choice.checked = pollingOnly;
    choice.addEventListener("change", () => this.#choose(choice.checked));

    this.#socket = globalThis.io({
      autoConnect: false,
      auth: (give) => give({ nick: this.#nick }),
      reconnectionDelay: 400,
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

  /** Connects under a nickname. */
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

  /** Sends, and calls `then` with the answer, or with undefined when none came in time. */
  ask(event, payload, then) {
    this.#socket.timeout(ANSWER_WITHIN).emit(event, payload, (late, reply) => {
      then(late ? undefined : reply);
    });
  }

  /** Sends what is worth nothing later. */
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
    manager.on("reconnect_attempt", (attempt) => this.#tell("reconnecting", `attempt ${attempt}`));

    socket.on("connect", () => {
      byId("socket-id").textContent = byId("socket-id").title = socket.id;
      this.#tell("connected");
      this.#pulse();
    });
    socket.on("disconnect", (reason) => {
      this.#forget();
      if (socket.active) return this.#tell("reconnecting", reason);
      this.#tell("idle", reason === "io client disconnect" ? "" : reason);
    });
    socket.on("connect_error", (error) => {
      // An error of the network is tried again by itself; a refusal by the server is not.
      if (socket.active) return this.#tell("reconnecting", error.message);
      this.#tell("idle");
      this.whenRefused(error.message);
    });
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

  #tell(state, detail = "") {
    byId("wire").dataset.state = state;
    byId("state").textContent = detail ? `${WORDS[state]}, ${detail}` : WORDS[state];
  }
}

function transports(pollingOnly) {
  return { transports: pollingOnly ? ["polling"] : ["polling", "websocket"] };
}
