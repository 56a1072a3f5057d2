// Shows what the server sees, and sends it visitors.
import { io } from "/socket.io/socket.io.esm.min.js";
import { showLine } from "/line.js";
import { Tiles } from "/tiles.js";

const byId = (id) => document.getElementById(id);
const socket = io("/dashboard");
const tiles = new Tiles(byId("tiles"));
const visitors = [];
let heard = 0;

showLine(socket, byId("line"));

socket.on("seen", ({ stats, rooms }) => {
  tiles.show(stats);
  const fullest = Math.max(10, ...rooms.map((room) => room.sockets));
  byId("rooms").replaceChildren(...rooms.map(({ name, sockets }) => row(name, sockets, fullest)));
});

byId("more").addEventListener("click", () => {
  for (let n = 0; n < 10; n++) visitors.push(visitor());
  count();
});
byId("none").addEventListener("click", () => {
  for (const each of visitors.splice(0)) each.disconnect();
  count();
});

byId("broadcast").addEventListener("submit", (event) => {
  event.preventDefault();
  heard = 0;
  socket.emit("broadcast", byId("room").value, byId("text").value);
});

/** A visitor of the application: a connection of its own, which cheers now and then. */
function visitor() {
  const one = io({ forceNew: true });
  one.on("news", (text) => {
    heard++;
    byId("heard").textContent = `“${text}”, heard by ${heard}`;
  });
  const timer = setInterval(() => one.volatile.emit("cheer"), 300 + Math.random() * 1400);
  one.on("disconnect", () => one.active || clearInterval(timer));
  return one;
}

function count() {
  byId("visitors").textContent = visitors.length;
}

function row(name, sockets, fullest) {
  const line = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { textContent: name, scope: "row" });
  const cell = document.createElement("td");
  const bar = document.createElement("i");
  bar.style.setProperty("--share", `${(sockets / fullest) * 100}%`);
  const number = Object.assign(document.createElement("b"), { textContent: sockets });
  cell.append(bar, number);
  line.append(head, cell);
  return line;
}
