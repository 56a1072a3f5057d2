// A tile for each number, with its last minute as a curve.

const KEPT = 60;

/** What each tile shows of `io.stats()`. A rate is a difference between two seconds. */
const TILES = [
  { name: "WebSockets", of: ({ connections }) => connections.websocket ?? 0 },
  { name: "Long-polling", of: ({ connections }) => connections.polling ?? 0 },
  { name: "Messages in", unit: "/s", rate: ({ traffic }) => traffic.messagesIn },
  { name: "Messages out", unit: "/s", rate: ({ traffic }) => traffic.messagesOut },
  { name: "Deliveries", unit: "/s", rate: ({ deliveries }) => deliveries },
  { name: "Out", unit: "kB/s", rate: ({ traffic }) => traffic.bytesOut / 1000 },
  { name: "Waiting", unit: "kB", of: ({ waiting }) => waiting.bytes / 1000 },
  { name: "Event loop, p99", unit: "ms", of: ({ eventLoopDelay }) => eventLoopDelay.p99 },
];

export class Tiles {
  #tiles;
  #last;

  constructor(place) {
    this.#tiles = TILES.map((tile) => ({ ...tile, ...build(tile), values: [] }));
    place.replaceChildren(...this.#tiles.map(({ element }) => element));
  }

  show(stats) {
    for (const tile of this.#tiles) {
      const value = tile.of?.(stats) ?? (this.#last ? tile.rate(stats) - tile.rate(this.#last) : 0);
      tile.values.push(value);
      if (tile.values.length > KEPT) tile.values.shift();
      tile.number.textContent = value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value);
      tile.path.setAttribute("d", curve(tile.values));
    }
    this.#last = stats;
  }
}

function build({ name, unit = "" }) {
  const element = Object.assign(document.createElement("article"), { className: "tile" });
  element.dataset.name = name;
  element.innerHTML = `<h2></h2><b><span></span> <small></small></b>
    <svg viewBox="0 0 ${KEPT - 1} 10" preserveAspectRatio="none" aria-hidden="true"><path /></svg>`;
  element.querySelector("h2").textContent = name;
  element.querySelector("small").textContent = unit;
  return { element, number: element.querySelector("span"), path: element.querySelector("path") };
}

function curve(values) {
  const most = Math.max(1, ...values) * 1.2;
  const from = KEPT - values.length;
  const heights = values.map((value) => (10 - (value / most) * 10).toFixed(2));
  const points = heights.map((height, index) => `L${from + index} ${height}`);
  // Its edges are out of sight.
  return `M${from} 11${points.join("")}L${KEPT + 2} ${heights.at(-1)}V11Z`;
}
