// Two connections: one that plays, over WebSocket, and one that looks on and reads slowly.
import { io } from "/socket.io/socket.io.esm.min.js";
import { showLine } from "/line.js";
import { slowPolling } from "/slow-polling.js";
import { SeaView } from "/sea-view.js";

const byId = (id) => document.getElementById(id);

const player = io();
showLine(player, byId("line"));
watch(player, "mine", () => player.id);

byId("mine").addEventListener("pointermove", ({ offsetX, offsetY, target }) => {
  const scale = 1000 / target.clientWidth;
  // The next one is on its way: one that cannot leave now may be lost.
  player.volatile.emit("steer", Math.round(offsetX * scale), Math.round(offsetY * scale));
});

const polling = slowPolling();
polling.slowDown(1000);
const slow = io({
  forceNew: true,
  autoConnect: false,
  transports: [polling.transport],
  auth: (give) => give({ page: player.id }),
});
watch(slow, "slow", () => player.id);
player.on("connect", () => slow.disconnect().connect());
player.on("waiting", (bytes) => (byId("waiting").textContent = `${(bytes / 1000).toFixed(1)} kB`));

slow.on("connect", () => slow.emit("conflate", byId("conflate").checked));
byId("conflate").addEventListener("change", ({ target }) => slow.emit("conflate", target.checked));

byId("stop").addEventListener("click", ({ target }) => {
  const stops = target.getAttribute("aria-pressed") === "false";
  target.setAttribute("aria-pressed", String(stops));
  target.textContent = stops ? "Read again" : "Stop reading";
  if (stops) polling.stop();
  else polling.resume();
});

/** Draws the frames of a connection, and counts those that arrive and those that were skipped. */
function watch(socket, name, own) {
  const view = new SeaView(byId(name));
  let last;
  let arrived = 0;
  let skipped = 0;
  socket.on("connect", () => (last = undefined));
  socket.on("frame", ({ number, boats }) => {
    arrived++;
    if (last !== undefined) skipped += number - last - 1;
    last = number;
    view.show(boats, own());
  });
  setInterval(() => {
    byId(`${name}-rate`).textContent = arrived;
    byId(`${name}-skipped`).textContent = skipped;
    arrived = 0;
  }, 1000);
}
