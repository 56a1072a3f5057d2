// Connects the parts of the page: the sign-in form, the rooms, the composer and the connection.
import { Conversation } from "./conversation.js";
import { ImagePicker } from "./image-picker.js";
import { Lab } from "./lab.js";
import { load, store } from "./memory.js";
import { Typing } from "./typing.js";
import { byId, element, initial, keepAtEnd } from "./view.js";
import { Wire } from "./wire.js";

const STARTS_IN = "lobby";

const wire = new Wire();
const typing = new Typing(wire);
const picker = new ImagePicker();
const lab = new Lab(wire);
/** The rooms this page is in, by name. */
const joined = new Map();
/** The latest list of the server's rooms. */
let everyRoom = [];
let current = "";
let limits = { message: 2000, image: 2_000_000 };

keepAtEnd(byId("scroll"));
byId("nick").value = load("nick") ?? "";
if (byId("nick").value) enter();

byId("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  enter();
});

byId("me").addEventListener("click", () => {
  wire.close();
  showDoor("");
});

byId("new-room").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("room-name");
  const name = field.value.trim().replace(/\s+/g, "-");
  if (name) join(name, () => (field.value = ""));
});

byId("leave").addEventListener("click", () => leave(current));

byId("text").addEventListener("input", () => {
  fitComposer();
  typing.typed(current, byId("text").value !== "");
});

byId("text").addEventListener("keydown", (event) => {
  // During composition (Japanese, Chinese, Korean), Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("composer").requestSubmit();
});

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  say();
});

addEventListener("resize", revealRoom);

wire.on("welcome", (welcome) => {
  limits = welcome.limits;
  picker.largest = limits.image;
  byId("me").textContent = welcome.me.nick;
  everyRoom = welcome.rooms;
  wire.showWorker(welcome.worker);
  lab.showWorker(welcome.worker);
  showChat();
  // Unless it has recovered the session, the server does not know this page's rooms.
  const linked = decodeURIComponent(location.hash.slice(1));
  const before = load("rooms", sessionStorage)?.split(",").filter(Boolean) ?? [];
  const rooms = new Set(joined.size > 0 ? joined.keys() : [...before, ...(linked ? [linked] : [])]);
  if (rooms.size === 0) rooms.add(STARTS_IN);
  const shown = current || (rooms.has(linked) ? linked : rooms.values().next().value);
  for (const room of rooms) join(room, () => {}, room === shown);
  drawRooms();
});
wire.whenRefused = showDoor;
wire.whenBack = (recovered, missed) => {
  lab.showReturn(recovered, missed);
  if (recovered) for (const conversation of joined.values()) conversation.sendWaiting();
};
wire.on("rooms", (rooms) => {
  everyRoom = rooms;
  drawRooms();
});
wire.on("people", ({ room, people }) => {
  const conversation = joined.get(room);
  // A server that shuts down removes people one by one. Ignore lists without this page.
  if (!conversation || !people.some(({ id }) => id === wire.socketId)) return;
  conversation.people = people;
  conversation.isLive = true;
  if (room === current) drawPeople();
});
wire.on("disconnect", () => {
  for (const conversation of joined.values()) conversation.isLive = false;
  drawRooms();
  drawPeople();
});
wire.on("message", (message) => {
  const conversation = joined.get(message.room);
  if (!conversation) return;
  conversation.add(message);
  typing.stopped(message.room, message.from.id);
  if (message.room !== current) {
    conversation.unread++;
    drawRooms();
  }
  drawEmpty();
  wire.tell("received", { room: message.room, id: message.id });
});
wire.on("received", ({ room, id, by }) => joined.get(room)?.received(id, by));

function enter() {
  const nick = byId("nick").value.trim();
  if (!nick) return showDoor("Give a nickname.");
  byId("door-error").textContent = "";
  wire.open(nick);
}

function showDoor(reason) {
  document.body.dataset.view = "door";
  byId("door").hidden = false;
  byId("chat").hidden = byId("me").hidden = true;
  byId("door-error").textContent = reason;
  byId("nick").focus();
}

function showChat() {
  if (document.body.dataset.view === "chat") return;
  document.body.dataset.view = "chat";
  store("nick", byId("nick").value.trim());
  byId("door").hidden = true;
  byId("chat").hidden = byId("me").hidden = false;
  byId("text").focus();
}

function join(name, then, show = true) {
  byId("rooms-error").textContent = "";
  wire.ask("join", { room: name }, (reply) => {
    // No answer: the connection was lost, and the page will join again on the next one.
    if (!reply) return;
    if (!reply.ok) {
      byId("rooms-error").textContent = reply.error;
      return;
    }
    const known = joined.get(reply.room);
    const conversation = known ?? new Conversation(reply.room, wire);
    joined.set(reply.room, conversation);
    conversation.people = reply.people;
    conversation.isLive = true;
    for (const message of reply.history) conversation.add(message);
    conversation.sendWaiting();
    store("rooms", [...joined.keys()].join(","), sessionStorage);
    then();
    if (show) showRoom(reply.room);
    else drawRooms();
  });
}

function leave(name) {
  if (!joined.has(name)) return;
  wire.ask("leave", { room: name }, (reply) => {
    if (!reply) return;
    joined.get(name)?.end();
    joined.delete(name);
    store("rooms", [...joined.keys()].join(","), sessionStorage);
    showRoom(joined.keys().next().value ?? "");
  });
}

function showRoom(name) {
  typing.show(name);
  current = name;
  // The address is a link to this room.
  history.replaceState(
    null,
    "",
    `${location.pathname}${location.search}${name ? `#${encodeURIComponent(name)}` : ""}`,
  );
  const conversation = joined.get(name);
  byId("room-title").textContent = name ? `#${name}` : "No room";
  byId("leave").hidden = byId("composer").hidden = !conversation;
  byId("scroll").replaceChildren(byId("empty"), conversation?.log ?? element("ol", { className: "log" }));
  if (conversation) {
    conversation.unread = 0;
    conversation.toEnd();
  }
  drawRooms();
  revealRoom();
  drawPeople();
  drawEmpty();
}

/** Scrolls the list of rooms, a strip on phones, to the current room. */
function revealRoom() {
  byId("rooms").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function say() {
  const field = byId("text");
  const text = field.value.trim();
  byId("composer-error").textContent = "";
  if ([...text].length > limits.message) {
    byId("composer-error").textContent =
      `At most ${limits.message} characters; this has ${[...text].length}.`;
    return;
  }
  const image = picker.take();
  if (!text && !image) return;
  typing.typed(current, false);
  joined.get(current).say(text, image);
  field.value = "";
  fitComposer();
  drawEmpty();
}

function fitComposer() {
  const field = byId("text");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function drawRooms() {
  const rooms = [...everyRoom];
  for (const name of joined.keys()) {
    if (!rooms.some((room) => room.name === name))
      rooms.push({ name, people: joined.get(name).people.length });
  }
  const focused = document.activeElement?.closest?.("#rooms button")?.dataset.room;
  byId("rooms").replaceChildren(
    ...rooms.map(({ name, people }) => {
      const conversation = joined.get(name);
      const button = element("button", { type: "button" }, element("span", { className: "name" }, name));
      button.dataset.room = name;
      button.dataset.joined = String(conversation !== undefined);
      if (name === current) button.setAttribute("aria-current", "true");
      if (conversation?.unread) {
        button.append(element("b", { title: "unread messages" }, String(conversation.unread)));
      } else if (wire.isOpen) {
        button.append(element("small", { title: "people in this room" }, String(people)));
      }
      if (!conversation) button.title = `Join #${name}`;
      button.addEventListener("click", () => (joined.has(name) ? showRoom(name) : join(name, () => {})));
      return element("li", {}, button);
    }),
  );
  if (focused)
    byId("rooms")
      .querySelector(`[data-room="${CSS.escape(focused)}"]`)
      ?.focus();
}

function drawPeople() {
  const { people, isLive } = joined.get(current) ?? { people: [], isLive: wire.isOpen };
  const count = people.length === 1 ? "only you" : `${people.length} here`;
  byId("chat").dataset.live = String(isLive);
  byId("here-title").textContent = isLive ? "Here now" : "Last seen here";
  byId("room-count").textContent = isLive ? count : "not connected";
  byId("room-count").title = people.map((person) => person.nick).join(", ");
  byId("people").replaceChildren(
    ...people.map(({ id, nick }) => {
      const row = element("li", {}, initial(nick), element("span", { className: "name" }, nick));
      if (id === wire.socketId || (!isLive && nick === wire.nick)) row.append(element("small", {}, "you"));
      return row;
    }),
  );
}

function drawEmpty() {
  const conversation = joined.get(current);
  byId("empty").hidden = conversation !== undefined && !conversation.isEmpty;
  byId("empty").textContent = conversation
    ? `Nothing has been said in #${current} yet.`
    : "Choose a room on the left, or open a new one.";
}
