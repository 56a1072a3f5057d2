import { bar, Sparkline } from "./charts.js";
import { el, fill, get, setText } from "./dom.js";
import { bytes, count, duration, ms, rate, transport } from "./format.js";

/** The large numbers. Each returns its value, its text, and what is said below it. */
const tiles = [
  {
    name: "Clients",
    read: ({ connections, sockets }) => ({
      value: connections,
      text: count(connections),
      note: `${count(sockets)} sockets`,
    }),
  },
  {
    name: "Events in",
    read: ({ perSecond }) => ({
      value: perSecond.in,
      text: rate(perSecond.in),
      unit: "/s",
      note: "from clients",
    }),
  },
  {
    name: "Events out",
    read: ({ perSecond }) => ({
      value: perSecond.out + perSecond.deliveries,
      text: rate(perSecond.out + perSecond.deliveries),
      unit: "/s",
      note: `${rate(perSecond.broadcasts)} broadcasts/s`,
    }),
  },
  {
    name: "Coming and going",
    read: ({ perSecond }) => ({
      value: perSecond.handshakes + perSecond.disconnects,
      text: `+${rate(perSecond.handshakes)} −${rate(perSecond.disconnects)}`,
      unit: "/s",
      note: "handshakes, departures",
    }),
  },
  {
    name: "Event loop",
    read: ({ eventLoopDelay }) => ({
      value: eventLoopDelay?.p99 ?? 0,
      text: ms(eventLoopDelay?.p99),
      note: `late, p99; at most ${ms(eventLoopDelay?.max)}`,
      alarm: (eventLoopDelay?.p99 ?? 0) > 100,
    }),
  },
  {
    name: "Memory",
    read: ({ memory }) => ({
      value: memory.rss,
      text: bytes(memory.rss),
      note: `${bytes(memory.heapUsed)} of heap`,
    }),
  },
  {
    name: "CPU",
    read: ({ perSecond, uptime }) => ({
      value: perSecond.cpu,
      text: `${Math.round(perSecond.cpu / 10)} %`,
      note: `up ${duration(uptime * 1000)}`,
      alarm: perSecond.cpu > 900,
    }),
  },
  {
    name: "Traffic",
    read: ({ traffic, perSecond }) =>
      traffic === undefined
        ? undefined
        : {
            value: perSecond.bytesIn + perSecond.bytesOut,
            text: bytes(perSecond.bytesIn + perSecond.bytesOut),
            unit: "/s",
            note: `${bytes(perSecond.bytesIn)} in, ${bytes(perSecond.bytesOut)} out`,
          },
  },
];

/** What is counted since the server was created, as sums. */
function sumsOf({ events, broadcasts, deliveries, handshakes, disconnects, cpu, traffic }) {
  const sum = (values) => values.reduce((total, each) => total + each, 0);
  return {
    in: events.in,
    out: events.out,
    broadcasts,
    deliveries,
    handshakes: sum(Object.values(handshakes)),
    disconnects: sum(disconnects.map((each) => each.count)),
    cpu,
    bytesIn: traffic?.bytesIn ?? 0,
    bytesOut: traffic?.bytesOut ?? 0,
  };
}

class Tile {
  #read;
  #value = el("b");
  #unit = el("small");
  #note = el("p", { class: "note" });
  #spark = new Sparkline();
  element;

  constructor({ name, read }) {
    this.#read = read;
    this.element = el(
      "article",
      { class: "tile" },
      el("h2", {}, name),
      el("p", { class: "value" }, this.#value, this.#unit),
      this.#note,
      this.#spark.element,
    );
  }

  update(numbers, isFirst) {
    const shown = this.#read(numbers);
    this.element.hidden = shown === undefined;
    if (shown === undefined) return;
    setText(this.#value, shown.text);
    setText(this.#unit, shown.unit ?? "");
    setText(this.#note, shown.note);
    this.element.classList.toggle("alarm", shown.alarm === true);
    // There are no rates yet.
    if (!isFirst) this.#spark.add(shown.value);
  }
}

/** The whole server in numbers. */
export class Overview {
  #tiles = tiles.map((tile) => new Tile(tile));
  #sums;
  #at = 0;

  constructor() {
    get("tiles").append(...this.#tiles.map(({ element }) => element));
  }

  open() {}

  subscribe() {
    // Everybody gets it.
  }

  update(numbers, connections) {
    const sums = sumsOf(numbers);
    const seconds = (numbers.at - this.#at) / 1000;
    // After the first one, or a restart of the server, there is nothing to compare with.
    const isFirst = this.#sums === undefined || seconds > 30 || sums.cpu < this.#sums.cpu;
    const perSecond = Object.fromEntries(
      Object.entries(sums).map(([name, sum]) => [
        name,
        isFirst ? 0 : Math.max(0, sum - this.#sums[name]) / seconds,
      ]),
    );
    if (!isFirst && seconds < 0.5) return;
    this.#sums = sums;
    this.#at = numbers.at;
    const all = { ...numbers, connections, perSecond };
    for (const tile of this.#tiles) tile.update(all, isFirst);
    this.#showTransports(numbers, connections);
    this.#showNamespaces(numbers);
    this.#showCauses(numbers);
    this.#showCluster(numbers);
  }

  #showTransports({ connections, waiting, slowConsumers, acks, upgrades, recovery }, total) {
    const names = Object.keys(connections).toSorted();
    fill(get("transports-bar"), connections, () =>
      names.map((name) => {
        const part = el("i", { "data-transport": name });
        part.style.flexGrow = connections[name];
        return part;
      }),
    );
    fill(get("transports"), connections, () =>
      total === 0
        ? [el("li", { class: "note" }, "Nobody is connected.")]
        : names.map((name) =>
            el(
              "li",
              { "data-transport": name },
              `${transport(name)} `,
              el("b", {}, count(connections[name])),
              el("small", {}, ` ${Math.round((connections[name] / total) * 100)} %`),
            ),
          ),
    );
    const facts = [
      [
        "Waiting",
        waiting.connections === 0 ? "nothing" : `${bytes(waiting.bytes)} for ${count(waiting.connections)}`,
      ],
      ["Slow consumers", count(slowConsumers)],
      ["Acks pending", count(acks.pending)],
      ["Acks timed out", count(acks.timedOut)],
      ["Upgrades", `${count(upgrades.ok)}${upgrades.ok === 0 ? "" : ` in ${ms(upgrades.meanTime)}`}`],
      ["Upgrades failed", count(upgrades.failed)],
      ["Recovered", count(recovery.recovered)],
      ["Not recovered", count(recovery.refused)],
    ];
    fill(get("health"), facts, () =>
      facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    );
  }

  #showNamespaces({ namespaces, namespaceCount }) {
    setText(
      get("namespaces-count"),
      namespaceCount > namespaces.length
        ? `${namespaces.length} of ${count(namespaceCount)}`
        : count(namespaceCount),
    );
    fill(get("namespaces"), namespaces, () => [
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["Name", "Sockets", "Rooms"].map((name, index) =>
            el("th", { scope: "col", class: index > 0 && "number" }, name),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        ...namespaces.map(({ name, sockets, rooms, dynamic }) =>
          el(
            "tr",
            {},
            el(
              "th",
              { scope: "row" },
              el("a", { class: "mono", href: `#/clients?nsp=${encodeURIComponent(name)}` }, name),
              dynamic ? el("small", {}, "dynamic") : "",
            ),
            el("td", { class: "number" }, count(sockets)),
            el("td", { class: "number" }, count(rooms)),
          ),
        ),
      ),
    ]);
  }

  #showCauses({ disconnects, refusals, limits }) {
    const causes = disconnects.map(({ reason, code, count: times }) => [reason, code, times]);
    showBars(get("disconnects"), causes, "Nobody has left.");
    const refused = [
      ...Object.entries(refusals).map(([code, times]) => [code, "request", times]),
      ...Object.entries(limits).map(([code, times]) => [code, "limit", times]),
    ];
    showBars(get("refusals"), refused, "Nothing.");
  }

  #showCluster({ cluster }) {
    get("cluster-panel").hidden = cluster === undefined;
    if (cluster === undefined) return;
    const { ready, nodes, missed } = cluster;
    setText(get("cluster-note"), `${ready ? "ready" : "not ready"}, ${count(missed)} broadcasts missed`);
    fill(get("cluster"), nodes, () => [
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...["Node", "State", "Sessions", "RTT", "Last seen"].map((name, index) =>
            el("th", { scope: "col", class: index > 1 && "number" }, name),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        ...nodes.map(({ id, state, sessions, rtt, lastSeen }) =>
          el(
            "tr",
            {},
            el("th", { scope: "row", class: "mono" }, id),
            el("td", {}, state),
            el("td", { class: "number" }, count(sessions)),
            el("td", { class: "number" }, ms(rtt)),
            el("td", { class: "number" }, lastSeen ? duration(Math.max(0, Date.now() - lastSeen)) : "–"),
          ),
        ),
      ),
    ]);
  }
}

function showBars(list, rows, nothing) {
  const sorted = rows.toSorted((a, b) => b[2] - a[2]);
  fill(list, sorted, () =>
    sorted.length === 0
      ? [el("li", { class: "note" }, nothing)]
      : sorted.map(([label, note, times]) => bar(label, note, times, sorted[0][2])),
  );
}
