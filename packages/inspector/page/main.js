import { Actions } from "./actions.js";
import { ClientView } from "./client.js";
import { ClientsView } from "./clients.js";
import { get, offerNamespaces, setText } from "./dom.js";
import { EventsView } from "./events.js";
import { count } from "./format.js";
import { Overview } from "./overview.js";
import { RoomsView } from "./rooms.js";
import { io } from "./socket.io.esm.min.js";

const here = new URL(".", location.href);
const { body } = document;

/** `?transport=polling` in the address keeps to one transport. */
const only = new URLSearchParams(location.search).get("transport");

const socket = io(here.origin, {
  path: here.pathname,
  transports: only === null ? ["websocket", "polling"] : [only],
  tryAllTransports: true,
  reconnectionDelayMax: 3000,
  // A token is good for one connection that begins now.
  auth: (connect) => void token().then((value) => connect({ token: value })),
});

let refused = "";

async function token() {
  try {
    const response = await fetch(new URL("token", here), { cache: "no-store" });
    refused = response.ok ? "" : await response.text();
    return response.ok ? await response.text() : "";
  } catch {
    return "";
  }
}

function setState(state, text) {
  body.dataset.state = state;
  setText(get("state"), text);
}

/** Asks the server; resolves to its result, and rejects with what it says against it. */
async function ask(event, given) {
  const { error, result } = await socket.timeout(10_000).emitWithAck(event, given);
  if (error !== undefined) throw Object.assign(new Error(error.message), { code: error.code });
  return result;
}

/** What the views share. */
const page = { ask, readonly: true, namespaces: [] };
page.actions = new Actions(page);

const overview = new Overview(page);
const views = {
  overview,
  clients: new ClientsView(page),
  client: new ClientView(page),
  rooms: new RoomsView(page),
  events: new EventsView(page),
};
/** The event by which the server is told what a view shows. */
const subjects = { clients: "connections", client: "client", rooms: "rooms", events: "feed" };

let shown;

/** The address names the view: `#/client/id`, `#/clients?room=a`. */
function route() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  const wanted = Object.hasOwn(views, name) ? name : "overview";
  const id = decodeURIComponent(rest.join("/"));
  if (shown !== undefined && shown !== wanted && subjects[shown] !== undefined && socket.connected) {
    ask(subjects[shown], null).catch(() => {});
  }
  shown = wanted;
  for (const each of Object.keys(views)) get(each).hidden = each !== wanted;
  const tab = wanted === "client" ? "clients" : wanted;
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.getAttribute("href") === `#/${tab}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  views[wanted].open(id, new URLSearchParams(query));
  if (socket.connected) views[wanted].subscribe();
}

addEventListener("hashchange", () => {
  route();
  scrollTo(0, 0);
});

socket.on("connect", () => {
  setState("connected", "Live");
  const { engine } = socket.io;
  const name = () => (body.dataset.transport = engine.transport.name);
  name();
  engine.on("upgrade", name);
  views[shown].subscribe();
});
socket.on("disconnect", (reason) => {
  setState("reconnecting", "Reconnecting");
  // The server does not want it any more; it may want it later.
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
});
socket.on("connect_error", ({ data, message }) => {
  if (data?.code === "TOO_MANY_WATCHERS") setState("refused", "Too many pages are open");
  else if (refused !== "") setState("refused", "Reload the page");
  else setState("reconnecting", "Reconnecting");
  get("state").title = refused || message;
  if (!socket.active) setTimeout(() => socket.connect(), 1500);
});
socket.on("hello", ({ readonly, hostname, pid, node, host }) => {
  page.readonly = readonly;
  get("readonly").hidden = !readonly;
  body.dataset.readonly = String(readonly);
  setText(get("where"), `${hostname} · process ${pid} · ${host} · Node ${node}`);
});
socket.on("overview", (numbers) => {
  page.namespaces = numbers.namespaces;
  const connections = Object.values(numbers.connections).reduce((sum, each) => sum + each, 0);
  setText(get("clients-count"), count(connections));
  setText(get("rooms-count"), count(numbers.rooms));
  for (const select of document.querySelectorAll("select[data-namespaces]")) {
    if (document.activeElement !== select) offerNamespaces(select, numbers.namespaces);
  }
  overview.update(numbers, connections);
  views[shown].tick?.();
});
socket.on("connections", (update) => views.clients.update(update));
socket.on("client", (update) => views.client.update(update));
socket.on("rooms", (update) => views.rooms.update(update));
socket.on("feed", (batch) => views.events.update(batch));

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => event.preventDefault());
}
route();
