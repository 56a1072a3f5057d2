import { el, fill, get, setText, settled } from "./dom.js";
import { count } from "./format.js";

/** The largest rooms. */
export class RoomsView {
  #page;
  #form = get("rooms-filter");

  constructor(page) {
    this.#page = page;
    this.#form.addEventListener(
      "input",
      settled(() => this.subscribe()),
    );
    get("rooms-emit").addEventListener("click", () =>
      page.actions.emit({ title: "everybody in a namespace" }),
    );
  }

  open() {}

  subscribe() {
    const { text, namespace } = this.#form.elements;
    this.#page.ask("rooms", { text: text.value, namespace: namespace.value }).catch(() => {});
  }

  update({ total, matching, rows }) {
    const note = matching === total ? `${count(total)} rooms` : `${count(matching)} of ${count(total)} match`;
    setText(
      get("rooms-note"),
      rows.length < matching ? `${note}, the largest ${rows.length} are shown` : note,
    );
    get("rooms-empty").hidden = rows.length > 0;
    const largest = rows[0]?.size ?? 0;
    fill(get("rooms-list"), [rows, this.#page.readonly], () => rows.map((row) => this.#row(row, largest)));
  }

  #row({ nsp, room, size }, largest) {
    const { readonly, actions } = this.#page;
    const track = el("i");
    track.style.width = `${Math.max(1, (size / largest) * 100)}%`;
    return el(
      "li",
      {},
      el(
        "a",
        { class: "label", href: `#/clients?room=${encodeURIComponent(room)}&nsp=${encodeURIComponent(nsp)}` },
        el("span", { class: "mono" }, room),
        el("small", { class: "mono" }, nsp),
      ),
      el("b", {}, count(size)),
      el("span", { class: "track" }, track),
      readonly
        ? ""
        : el(
            "span",
            { class: "acts" },
            el(
              "button",
              {
                type: "button",
                class: "quiet",
                "aria-label": `Emit to ${room}`,
                click: () => actions.emit({ namespace: nsp, room, title: `room ${room}` }),
              },
              "Emit",
            ),
            el(
              "button",
              {
                type: "button",
                class: "quiet warn",
                "aria-label": `Disconnect everybody in ${room}`,
                click: () =>
                  actions.confirm({
                    title: `Disconnect ${count(size)} clients?`,
                    text: `Everybody in the room ${room} of ${nsp} is disconnected, on all nodes of a cluster.`,
                    yes: "Disconnect all",
                    action: { type: "empty", namespace: nsp, room },
                  }),
              },
              "Disconnect",
            ),
          ),
    );
  }
}
