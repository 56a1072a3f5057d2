import { el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [100, 32];

function shape(tag, properties) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  return element;
}

/** A line of the last values, as high as the highest of them. */
export class Sparkline {
  #values = [];
  #capacity;
  #line = shape("path", { class: "line" });
  #area = shape("path", { class: "area" });
  element;

  constructor(capacity = 60) {
    this.#capacity = capacity;
    this.element = shape("svg", {
      class: "spark",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
    this.element.append(this.#area, this.#line);
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > this.#capacity) this.#values.shift();
    this.#draw();
  }

  clear() {
    this.#values = [];
    this.#draw();
  }

  #draw() {
    const values = this.#values;
    if (values.length < 2) {
      this.#line.setAttribute("d", "");
      this.#area.setAttribute("d", "");
      return;
    }
    const top = Math.max(...values, 1e-9);
    const step = WIDTH / (this.#capacity - 1);
    const first = this.#capacity - values.length;
    const points = values.map((value, index) => {
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 5);
      return `${((first + index) * step).toFixed(2)} ${y.toFixed(2)}`;
    });
    const path = `M${points.join("L")}`;
    this.#line.setAttribute("d", path);
    this.#area.setAttribute("d", `${path}L${WIDTH} ${HEIGHT}L${(first * step).toFixed(2)} ${HEIGHT}Z`);
  }
}

/** A row with a bar, as long as its part of the largest. */
export function bar(label, note, value, largest) {
  const fill = el("i");
  fill.style.width = `${largest === 0 ? 0 : Math.max(1, (value / largest) * 100)}%`;
  return el(
    "li",
    {},
    el("span", { class: "label" }, label, note ? el("small", {}, note) : ""),
    el("b", {}, value.toLocaleString("en")),
    el("span", { class: "track" }, fill),
  );
}
