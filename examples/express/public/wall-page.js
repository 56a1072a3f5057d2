import { io } from "/socket.io/socket.io.esm.min.js";
import { showLine } from "/line.js";

const byId = (id) => document.getElementById(id);
const socket = io();
showLine(socket, byId("line"));

socket.on("notes", (notes) => byId("notes").replaceChildren(...notes.map(card).reverse()));
socket.on("note", (note) => byId("notes").prepend(card(note)));
socket.on("readers", (count) => {
  byId("readers").textContent = count === 1 ? "Only you read this" : `${count} read this`;
});

byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ text: byId("text").value });
  const response = await fetch("/notes", {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  byId("error").textContent = response.ok ? "" : (await response.json()).error;
  if (response.ok) byId("form").reset();
});

function card({ text, at }) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date(at).toLocaleTimeString([], { timeStyle: "short" });
  item.append(text, time);
  return item;
}
