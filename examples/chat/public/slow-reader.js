// The second connection of the page, which can stop reading.
import { io } from "/socket.io/socket.io.esm.min.js";
import { slowPolling } from "/slow-polling.js";
import { byId, size } from "./view.js";

/** How many waiting bytes fill the bar. */
const FULL = 500_000;

export class SlowReader {
  #socket;
  #polling = slowPolling();
  #wire;
  /** The socket of the page that the server tells what waits. */
  #page;
  #read = 0;

  constructor(wire) {
    this.#wire = wire;
    this.#socket = io("/gauge", {
      forceNew: true,
      autoConnect: false,
      transports: [this.#polling.transport],
      auth: (give) => give({ page: (this.#page = wire.socketId) }),
    });
    this.#socket.on("connect", () => {
      this.#read = 0;
      this.#socket.emit("conflate", byId("conflate").checked);
    });
    this.#socket.on("reading", ({ levels }) => {
      byId("read").textContent = String(++this.#read);
      byId("tide").setAttribute("d", curve(levels));
    });
    wire.on("gauge", ({ number, waiting }) => this.#showWaiting(number, waiting));

    byId("conflate").addEventListener("change", ({ target }) =>
      this.#socket.emit("conflate", target.checked),
    );
    byId("stop").addEventListener("click", () =>
      this.#stop(byId("stop").getAttribute("aria-pressed") === "false"),
    );
  }

  /** Connects, unless it is connected for the page's present socket. */
  open() {
    if (this.#socket.active && this.#page === this.#wire.socketId) return;
    this.close();
    this.#socket.connect();
  }

  close() {
    this.#stop(false);
    this.#socket.disconnect();
  }

  #stop(isStopped) {
    byId("stop").setAttribute("aria-pressed", String(isStopped));
    byId("stop").textContent = isStopped ? "Read again" : "Stop reading";
    if (isStopped) this.#polling.stop();
    else this.#polling.resume();
  }

  #showWaiting(sent, waiting) {
    byId("sent").textContent = String(sent);
    byId("waiting").textContent = waiting === 0 ? "nothing" : size(waiting);
    byId("waiting-bar").style.inlineSize = `${Math.min(100, (waiting / FULL) * 100)}%`;
  }
}

/** A curve of 600 levels between -160 and 160. */
function curve(levels) {
  const points = levels.map((level, index) => `L${index} ${160 - level}`);
  return `M-2 330${points.join("")}L602 330Z`;
}
