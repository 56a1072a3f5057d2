import { el, get, setText, settled } from "./dom.js";
import { count, time } from "./format.js";

/** How many entries stay on the page. */
const MAX_ENTRIES = 300;

const labels = {
  in: "in",
  out: "out",
  broadcast: "broadcast",
  connect: "joined",
  disconnect: "left",
  refused: "refused",
  limit: "limit",
  action: "inspector",
};

/** What happens, as it happens: a sample that the server bounds. */
export class EventsView {
  #page;
  #form = get("events-filter");
  #list = get("events-list");
  #isPaused = false;
  #seen = 0;
  #skipped = 0;

  constructor(page) {
    this.#page = page;
    this.#form.addEventListener(
      "input",
      settled(() => this.subscribe()),
    );
    get("events-clear").addEventListener("click", () => this.#clear());
    get("events-pause").addEventListener("click", () => this.#pause(!this.#isPaused));
  }

  open(_id, query) {
    const socket = query.get("socket");
    if (socket !== null) this.#form.elements.socket.value = socket;
  }

  subscribe() {
    if (this.#isPaused) return;
    const { name, socket, namespace } = this.#form.elements;
    const kinds = ["action"];
    for (const { value } of this.#form.querySelectorAll("[name=kind]:checked"))
      kinds.push(...value.split(" "));
    const filter = { name: name.value, socket: socket.value.trim(), namespace: namespace.value, kinds };
    this.#page.ask("feed", filter).catch(() => {});
  }

  #pause(isPaused) {
    this.#isPaused = isPaused;
    const button = get("events-pause");
    button.setAttribute("aria-pressed", String(isPaused));
    setText(button, isPaused ? "Go on" : "Pause");
    if (isPaused) this.#page.ask("feed", null).catch(() => {});
    else this.subscribe();
  }

  #clear() {
    this.#list.replaceChildren();
    this.#seen = this.#skipped = 0;
    setText(get("events-note"), "");
    get("events-empty").hidden = false;
  }

  update({ entries, skipped }) {
    if (this.#isPaused) return;
    this.#seen += entries.length;
    this.#skipped += skipped;
    const all = this.#seen + this.#skipped;
    setText(
      get("events-note"),
      this.#skipped === 0 ? count(all) : `${count(all)}, of which ${count(this.#skipped)} are only counted`,
    );
    get("events-empty").hidden = true;
    const rows = entries.map(item).toReversed();
    this.#list.prepend(...rows);
    while (this.#list.children.length > MAX_ENTRIES) this.#list.lastChild.remove();
  }
}

function item({ at, kind, nsp, name, socket, sid, args = [], rooms, detail }) {
  const where = rooms === undefined ? [] : [rooms.length === 0 ? "to all" : `to ${rooms.join(", ")}`];
  const text = [...where, ...args, ...(detail === undefined ? [] : [detail])].join(", ");
  return el(
    "li",
    { "data-kind": kind },
    el("time", {}, time(at)),
    el("span", { class: "badge", "data-kind": kind }, labels[kind] ?? kind),
    el("b", {}, name),
    el(
      "details",
      {},
      el("summary", {}, el("code", {}, text)),
      el("pre", {}, [...where, ...args, detail ?? ""].filter(Boolean).join("\n")),
    ),
    el(
      "small",
      { class: "mono" },
      nsp,
      " ",
      sid === undefined
        ? ""
        : el("a", { href: `#/client/${encodeURIComponent(sid)}`, title: `socket ${socket}` }, sid),
    ),
  );
}
