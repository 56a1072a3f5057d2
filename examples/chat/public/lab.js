// The experiments: cut the connection, stop reading, and see which worker has the session.
import { SlowReader } from "./slow-reader.js";
import { byId } from "./view.js";

export class Lab {
  #wire;
  #reader;

  constructor(wire) {
    this.#wire = wire;
    this.#reader = new SlowReader(wire);
    byId("lab-open").addEventListener("click", () => this.#show(byId("lab").hidden));
    byId("lab-close").addEventListener("click", () => this.#show(false));
    byId("lab").addEventListener("keydown", ({ key }) => key === "Escape" && this.#show(false));
    byId("cut").addEventListener("click", () => {
      byId("cut-outcome").textContent = "Cut. Back in a moment …";
      wire.cut(Number(byId("cut").dataset.away));
    });
    wire.on("connect", () => this.#followConnection());
    wire.on("disconnect", () => this.#followConnection());
    this.#followConnection();
  }

  /** Says what a reconnection has brought, whoever cut the connection. */
  showReturn(recovered, missed) {
    const messages = missed === 1 ? "1 message" : `${missed} messages`;
    byId("cut-outcome").dataset.recovered = String(recovered);
    byId("cut-outcome").textContent = recovered
      ? `Recovered: the same socket, its rooms, and ${missed === 0 ? "nothing missed" : `${messages} that it missed`}.`
      : "Connected anew: another socket, which has joined its rooms again.";
  }

  /** Names the worker that has the session, if there are several. */
  showWorker(worker) {
    if (worker) {
      byId("worker-words").textContent =
        `Worker ${worker.number} of ${worker.of}, process ${worker.pid}, owns this session. Rooms reach across all.`;
    }
  }

  #show(isShown) {
    byId("lab").hidden = !isShown;
    byId("lab-open").setAttribute("aria-expanded", String(isShown));
    if (isShown) this.#reader.open();
    else this.#reader.close();
    byId(isShown ? "lab-close" : "lab-open").focus();
  }

  #followConnection() {
    byId("cut").disabled = !this.#wire.isOpen;
    // The server tells this page's socket what waits, and that may be another one now.
    if (this.#wire.isOpen && !byId("lab").hidden) this.#reader.open();
  }
}
