// A message on the page, with its delivery mark.
import { clock, element, initial, size } from "./view.js";

/** After this time, in ms, the next message of the same person shows the name again. */
const GROUP = 5 * 60_000;

const MARKS = {
  waiting: ["○ waiting", () => "Waits for the connection"],
  sending: ["○", () => "On its way"],
  sent: ["✓", () => "The server has it"],
  partly: ["✓", (people, of) => `Received by ${people} of ${of} others`],
  delivered: [
    "✓✓",
    (people) => (people === 1 ? "Received by the other one here" : `Received by all ${people} others`),
  ],
  refused: ["!", (error) => error],
};

export function startsGroup(last, message) {
  return !last || last.from.nick !== message.from.nick || message.at - last.at > GROUP;
}

/** Builds the row of a message. `mine` adds a mark, which `markAs` sets. */
export function messageRow(message, mine, first) {
  const item = element("li", { className: first ? "message first" : "message" });
  item.dataset.id = message.id;
  if (mine) item.classList.add("mine");
  if (first) item.append(initial(message.from.nick));
  const body = element("div", { className: "body" });
  const time = element("time", { dateTime: new Date(message.at).toISOString() }, clock(message.at));
  if (first)
    body.append(element("p", { className: "author" }, element("strong", {}, message.from.nick), " ", time));
  if (message.text) body.append(element("p", { className: "text" }, message.text));
  const picture = message.image ? figure(message) : undefined;
  if (picture) body.append(picture.element);
  item.append(body);

  const mark = mine ? element("span", { className: "mark", role: "img" }) : undefined;
  if (mark) item.append(mark);
  const row = {
    item,
    mark,
    state: "",
    whenSized: (then) => picture?.image?.addEventListener("load", then, { once: true }),
    release: () => picture && URL.revokeObjectURL(picture.address),
  };
  if (mine) markAs(row, "sent");
  return row;
}

/** Sets the mark of an own message. */
export function markAs(row, state, ...details) {
  if (!row?.mark) return;
  row.state = row.item.dataset.state = state;
  const [sign, words] = MARKS[state];
  row.mark.textContent = state === "refused" ? `${sign} ${words(...details)}` : sign;
  row.mark.title = row.mark.ariaLabel = words(...details);
}

function figure({ image, from }) {
  if (!image.data)
    return { element: element("p", { className: "gone" }, `${image.name} is no longer kept.`) };
  const address = URL.createObjectURL(new Blob([image.data], { type: image.type }));
  const shown = element("img", { src: address, alt: `${image.name}, from ${from.nick}` });
  const save = element("a", { href: address, download: image.name, title: "Save the image" }, image.name);
  const caption = element("figcaption", {}, save, ` ${size(image.data.byteLength)}`);
  return { element: element("figure", {}, shown, caption), image: shown, address };
}
