// Draws boats and their wakes on a canvas.

const WAKE = 40;

export class SeaView {
  #canvas;
  #context;
  #wakes = new Map();

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  /** Draws a frame. `own` is the id of the boat to stand out. */
  show(boats, own) {
    const context = this.#context;
    const { color } = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, 1000, 600);
    const ids = new Set(boats.map(([id]) => id));
    for (const id of this.#wakes.keys()) if (!ids.has(id)) this.#wakes.delete(id);
    for (const [id, x, y, heading] of boats) {
      const fill = id === own ? "#e07b1f" : `hsl(${hue(id)} 45% 48%)`;
      this.#drawWake(id, x, y, fill);
      context.save();
      context.translate(x, y);
      context.rotate(heading);
      context.scale(1.4, 1.4);
      context.beginPath();
      context.moveTo(20, 0);
      context.quadraticCurveTo(6, 13, -14, 8);
      context.lineTo(-14, -8);
      context.quadraticCurveTo(6, -13, 20, 0);
      context.fillStyle = fill;
      context.fill();
      if (id === own) {
        context.lineWidth = 2.5;
        context.strokeStyle = color;
        context.stroke();
      }
      context.restore();
    }
  }

  #drawWake(id, x, y, colour) {
    const wake = this.#wakes.get(id) ?? [];
    wake.push([x, y]);
    if (wake.length > WAKE) wake.shift();
    this.#wakes.set(id, wake);
    const context = this.#context;
    context.beginPath();
    for (const [wakeX, wakeY] of wake) context.lineTo(wakeX, wakeY);
    context.lineWidth = 4;
    context.globalAlpha = 0.25;
    context.strokeStyle = colour;
    context.stroke();
    context.globalAlpha = 1;
  }
}

/** Always the same colour for the same boat. */
function hue(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0) * 57) % 360;
  return sum;
}
