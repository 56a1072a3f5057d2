import { Sparkline } from "./charts.js";
import { el, fill, get, setText } from "./dom.js";
import { address as shown, bytes, count, duration, ms, time, transport } from "./format.js";

/** How many entries stay on the page. */
const MAX_ENTRIES = 400;

const arrows = { in: "→", out: "←", state: "•", rtt: "↔", end: "×" };
const spoken = { in: "received", out: "sent", state: "state", rtt: "round trip", end: "closed" };

/** One client, and what happens on its connection. */
export class ClientView {
  #page;
  #sid = "";
  #skipped = 0;
  #isOpen = false;
  #details;
  #rtt = new Sparkline(40);
  #waiting = new Sparkline(60);

  constructor(page) {
    this.#page = page;
    get("client-rtt-chart").append(this.#rtt.element);
    get("client-waiting-chart").append(this.#waiting.element);
    get("client-close").addEventListener("click", () => {
      page.actions.confirm({
        title: "Close the connection?",
        text: `The client ${this.#sid} leaves all namespaces. Official clients do not reconnect by themselves.`,
        yes: "Close connection",
        action: { type: "close", sid: this.#sid },
      });
    });
  }

  open(sid) {
    if (sid === this.#sid && this.#isOpen) return;
    this.#sid = sid;
    this.#skipped = 0;
    this.#isOpen = true;
    this.#details = undefined;
    this.#rtt.clear();
    this.#waiting.clear();
    setText(get("client-title"), sid);
    get("client-tags").replaceChildren();
    get("client-timeline").replaceChildren();
    fill(get("client-facts"), [], () => []);
    fill(get("client-sockets"), [], () => []);
    setText(get("client-skipped"), "");
    setText(get("client-rtt"), "–");
    setText(get("client-waiting"), "–");
    get("client-gone").hidden = true;
    get("client-body").hidden = false;
    get("client-close").disabled = false;
  }

  subscribe() {
    if (!this.#isOpen) return;
    this.#page.ask("client", { sid: this.#sid }).catch(({ code }) => {
      if (code === "NOT_FOUND") this.#end("This client is not connected to this server any more.");
    });
  }

  #end(text) {
    this.#isOpen = false;
    setText(get("client-gone"), text);
    get("client-gone").hidden = false;
    get("client-body").hidden = this.#details === undefined;
    get("client-close").disabled = true;
  }

  tick() {
    if (this.#details !== undefined && this.#isOpen) {
      this.#waiting.add(this.#details.waiting);
      this.#showFacts(this.#details);
    }
  }

  update({ sid, details, entries, skipped }) {
    if (sid !== this.#sid) return;
    // What it was stays when it has left.
    if (details?.open || (details !== undefined && this.#details === undefined)) this.#show(details);
    this.#skipped += skipped;
    setText(get("client-skipped"), this.#skipped === 0 ? "" : `${count(this.#skipped)} packets not shown`);
    if (entries.length > 0) this.#add(entries);
  }

  #add(entries) {
    const list = get("client-timeline");
    for (const entry of entries) {
      if (entry.kind === "rtt") {
        this.#rtt.add(entry.rtt);
        setText(get("client-rtt"), ms(entry.rtt));
      }
      list.prepend(item(entry));
      if (entry.kind === "end")
        this.#end(`The connection has ended: ${entry.name}${entry.text ? ` (${entry.text})` : ""}.`);
    }
    while (list.children.length > MAX_ENTRIES) list.lastChild.remove();
  }

  #show(details) {
    this.#details = details;
    const { transport: name, protocol, upgrading, open, waiting } = details;
    fill(get("client-tags"), [name, protocol, upgrading, open], () => [
      el("span", { class: "badge", "data-transport": name }, transport(name)),
      el("span", { class: "tag" }, `Engine.IO ${protocol}`),
      upgrading ? el("span", { class: "tag" }, "upgrading") : "",
    ]);
    setText(get("client-waiting"), waiting === 0 ? "nothing" : bytes(waiting));
    if (protocol === 3) setText(get("client-rtt"), "not in version 3");
    this.#showFacts(details);
    const { readonly } = this.#page;
    fill(get("client-sockets"), [details.sockets, readonly], () =>
      details.sockets.map((socket) => this.#socket(socket)),
    );
  }

  #showFacts({ address, since, upgraded, headers }) {
    const facts = [
      ["Address", shown(address) || "unknown"],
      ["Connected", since ? `for ${duration(Math.max(0, Date.now() - since))}` : "in no namespace"],
      ["Upgraded", upgraded ? "yes" : "no"],
      ...Object.entries(headers),
    ];
    fill(get("client-facts"), facts, () =>
      facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    );
  }

  #socket({ id, nsp, recovered, pendingAcks, data, rooms, roomCount }) {
    const { readonly, actions } = this.#page;
    const target = { namespace: nsp, socket: id };
    const room = el("input", {
      name: "room",
      placeholder: "Join a room",
      "aria-label": "Join a room",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    });
    const join = (event) => {
      event.preventDefault();
      if (room.value !== "") actions.act({ type: "join", ...target, room: room.value });
    };
    return el(
      "section",
      { class: "panel socket" },
      el("h2", {}, el("span", { class: "mono" }, nsp), el("small", { class: "mono" }, id)),
      el(
        "p",
        { class: "tags" },
        recovered ? el("span", { class: "tag" }, "recovered") : "",
        pendingAcks > 0 ? el("span", { class: "tag" }, `${pendingAcks} acks pending`) : "",
        ...rooms.map((name) =>
          el(
            "span",
            { class: "chip" },
            el(
              "a",
              { href: `#/clients?room=${encodeURIComponent(name)}&nsp=${encodeURIComponent(nsp)}` },
              name,
            ),
            readonly
              ? ""
              : el(
                  "button",
                  {
                    type: "button",
                    "aria-label": `Leave ${name}`,
                    click: () => actions.act({ type: "leave", ...target, room: name }),
                  },
                  "×",
                ),
          ),
        ),
        roomCount > rooms.length ? el("small", {}, `and ${count(roomCount - rooms.length)} more rooms`) : "",
        roomCount === 0 ? el("span", { class: "note" }, "In no room") : "",
      ),
      data === "{}" ? "" : el("pre", { class: "data" }, data),
      readonly
        ? ""
        : el(
            "div",
            { class: "acts" },
            el("form", { submit: join }, room),
            el(
              "button",
              { type: "button", class: "quiet", click: () => actions.emit({ ...target, title: id }) },
              "Emit",
            ),
            el(
              "button",
              {
                type: "button",
                class: "quiet warn",
                click: () =>
                  actions.confirm({
                    title: "Disconnect the socket?",
                    text: `${id} leaves the namespace ${nsp}. Its connection stays open.`,
                    yes: "Disconnect",
                    action: { type: "disconnect", ...target },
                  }),
              },
              "Disconnect",
            ),
          ),
    );
  }
}

function item({ at, kind, name, text, size, rtt }) {
  return el(
    "li",
    { "data-kind": kind },
    el("time", {}, time(at)),
    el(
      "span",
      { class: "arrow", title: spoken[kind] },
      arrows[kind],
      el("span", { class: "unseen" }, ` ${spoken[kind]}`),
    ),
    el("b", {}, name),
    el("code", {}, rtt === undefined ? (text ?? "") : ms(rtt)),
    size === undefined ? "" : el("small", {}, bytes(size)),
  );
}
