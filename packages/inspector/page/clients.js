import { choose, el, get, setText, settled } from "./dom.js";
import { address as shown, bytes, count, duration, ms, transport } from "./format.js";

/** How many rows the server sends. */
const PAGE = 50;

/** So many waiting bytes are more than what is on its way at any time. */
const ALARM = 16_384;

function names(list, total) {
  const more = total - list.length;
  return [
    ...list.map((name) => el("span", { class: "name" }, name)),
    more > 0 ? el("small", {}, `+${count(more)}`) : "",
  ];
}

/** A row of the table, which stays the same element while its client is shown. */
class Row {
  #transport = el("span", { class: "badge" });
  #namespaces = el("td", { class: "names", "data-label": "Namespaces" });
  #rooms = el("td", { class: "names", "data-label": "Rooms" });
  #since = el("td", { class: "number", "data-label": "Since" });
  #rtt = el("td", { class: "number", "data-label": "RTT" });
  #waiting = el("td", { class: "number", "data-label": "Waiting" });
  #startedAt;
  element;

  constructor({ sid, address }) {
    this.element = el(
      "tr",
      {},
      el(
        "th",
        { scope: "row" },
        el("a", { class: "mono", href: `#/client/${encodeURIComponent(sid)}` }, sid),
        el("small", {}, shown(address) || "no address"),
      ),
      el("td", { "data-label": "Transport" }, this.#transport),
      this.#namespaces,
      this.#rooms,
      this.#since,
      this.#rtt,
      this.#waiting,
    );
  }

  update(row) {
    setText(this.#transport, `${transport(row.transport)}${row.protocol === 3 ? " v3" : ""}`);
    this.#transport.dataset.transport = row.transport;
    this.#namespaces.replaceChildren(...names(row.namespaces, row.namespaceCount));
    this.#rooms.replaceChildren(...names(row.rooms, row.roomCount));
    setText(this.#rtt, ms(row.rtt));
    setText(this.#waiting, row.waiting === 0 ? "–" : bytes(row.waiting));
    this.#waiting.classList.toggle("alarm", row.waiting > ALARM);
    this.#startedAt = row.since;
    this.tick();
  }

  tick() {
    setText(this.#since, this.#startedAt ? duration(Math.max(0, Date.now() - this.#startedAt)) : "–");
  }
}

/** All connections, a page at a time. */
export class ClientsView {
  #page;
  #form = get("clients-filter");
  #rows = new Map();
  #offset = 0;
  #room = "";

  constructor(page) {
    this.#page = page;
    const change = () => {
      this.#offset = 0;
      this.subscribe();
    };
    this.#form.addEventListener("input", settled(change));
    get("clients-back").addEventListener("click", () => this.#turn(-PAGE));
    get("clients-next").addEventListener("click", () => this.#turn(PAGE));
    get("clients-room").addEventListener("click", () => {
      location.hash = "#/clients";
    });
  }

  open(_id, query) {
    this.#room = query.get("room") ?? "";
    const namespace = query.get("nsp");
    if (namespace !== null) choose(this.#form.elements.namespace, namespace);
    const chip = get("clients-room");
    chip.hidden = this.#room === "";
    setText(chip, `Room ${this.#room} ×`);
    chip.setAttribute("aria-label", `Show clients of all rooms, not only of ${this.#room}`);
    this.#offset = 0;
  }

  subscribe() {
    const { text, transport: name, namespace, sort } = this.#form.elements;
    const query = {
      text: text.value,
      transport: name.value,
      namespace: namespace.value,
      room: this.#room,
      sort: sort.value,
      offset: this.#offset,
    };
    this.#page.ask("connections", query).catch(() => {});
  }

  #turn(step) {
    this.#offset = Math.max(0, this.#offset + step);
    this.subscribe();
  }

  tick() {
    for (const row of this.#rows.values()) row.tick();
  }

  update({ matching, total, offset, order, rows }) {
    for (const row of rows) {
      if (!this.#rows.has(row.sid)) this.#rows.set(row.sid, new Row(row));
      this.#rows.get(row.sid).update(row);
    }
    const shown = new Set(order);
    for (const sid of this.#rows.keys()) if (!shown.has(sid)) this.#rows.delete(sid);
    const elements = order.map((sid) => this.#rows.get(sid)?.element).filter(Boolean);
    const body = get("clients-table").tBodies[0];
    // Only if it differs, so that a focused row keeps its focus.
    if (
      elements.length !== body.children.length ||
      elements.some((each, index) => body.children[index] !== each)
    ) {
      body.replaceChildren(...elements);
    }
    setText(
      get("clients-note"),
      matching === total ? `${count(total)} connected` : `${count(matching)} of ${count(total)} match`,
    );
    get("clients-empty").hidden = matching > 0;
    setText(get("clients-empty"), total === 0 ? "Nobody is connected." : "No client matches.");
    get("clients-table").hidden = matching === 0;
    get("clients-pager").hidden = matching <= PAGE;
    this.#offset = offset;
    setText(
      get("clients-page"),
      `${count(offset + 1)} to ${count(offset + order.length)} of ${count(matching)}`,
    );
    get("clients-back").disabled = offset === 0;
    get("clients-next").disabled = offset + order.length >= matching;
  }
}
