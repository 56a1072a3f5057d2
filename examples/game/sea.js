// The boats and how they move. The sea is 1000 wide and 600 high.

const ROBOTS = 6;
/** Units per second, and radians per second. */
const SPEED = 140;
const TURN = 2.6;

export class Sea {
  #boats = new Map();

  constructor() {
    for (let robot = 1; robot <= ROBOTS; robot++) this.enter(`robot ${robot}`, true);
  }

  enter(id, isRobot = false) {
    const place = somewhere();
    this.#boats.set(id, { id, isRobot, ...place, heading: 0, goal: somewhere() });
  }

  leave(id) {
    this.#boats.delete(id);
  }

  steer(id, x, y) {
    const boat = this.#boats.get(id);
    if (boat && Number.isFinite(x) && Number.isFinite(y))
      boat.goal = { x: within(x, 1000), y: within(y, 600) };
  }

  /** Moves every boat towards its goal for some seconds. */
  move(seconds) {
    for (const boat of this.#boats.values()) {
      const dx = boat.goal.x - boat.x;
      const dy = boat.goal.y - boat.y;
      const distance = Math.hypot(dx, dy);
      if (distance < 12) {
        if (boat.isRobot) boat.goal = somewhere();
        continue;
      }
      const turn = angle(Math.atan2(dy, dx) - boat.heading);
      boat.heading = angle(boat.heading + Math.sign(turn) * Math.min(Math.abs(turn), TURN * seconds));
      const step = Math.min(distance, SPEED * seconds);
      boat.x = within(boat.x + Math.cos(boat.heading) * step, 1000);
      boat.y = within(boat.y + Math.sin(boat.heading) * step, 600);
    }
  }

  /** Every boat as [id, x, y, heading], short enough for thirty times a second. */
  boats() {
    return [...this.#boats.values()].map(({ id, x, y, heading }) => [
      id,
      Math.round(x),
      Math.round(y),
      Number(heading.toFixed(2)),
    ]);
  }
}

function somewhere() {
  return { x: 50 + Math.random() * 900, y: 50 + Math.random() * 500 };
}

function within(value, limit) {
  return Math.min(limit - 15, Math.max(15, value));
}

/** The same angle, between -π and π. */
function angle(radians) {
  return Math.atan2(Math.sin(radians), Math.cos(radians));
}
