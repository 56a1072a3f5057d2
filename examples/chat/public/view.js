// Helpers that build the page. Strings are always inserted as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A round mark with the first letter of a name, always in the same colour for the same name. */
export function initial(nick) {
  const mark = element("span", { className: "initial", ariaHidden: "true" }, [...nick][0].toUpperCase());
  let hue = 0;
  for (const character of nick) hue = (hue * 31 + character.codePointAt(0)) % 360;
  mark.style.setProperty("--hue", String(hue));
  return mark;
}

export const clock = (at) =>
  new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Whether the last line of a scrolling list is visible, or almost. */
export const isAtEnd = (view) => view.scrollHeight - view.scrollTop - view.clientHeight < 80;

export function scrollToEnd(view) {
  view.scrollTop = view.scrollHeight;
}

/** Keeps the end visible when the list becomes smaller, for example when a phone opens its keyboard. */
export function keepAtEnd(view) {
  let wasAtEnd = true;
  let width = 0;
  let height = 0;
  const follow = () => {
    // A change of size also scrolls. Only scrolling by a person changes the position to keep.
    if (view.clientWidth === width && view.clientHeight === height) wasAtEnd = isAtEnd(view);
  };
  view.addEventListener("scroll", follow, { passive: true });
  new ResizeObserver(() => {
    ({ clientWidth: width, clientHeight: height } = view);
    if (wasAtEnd) scrollToEnd(view);
  }).observe(view);
}
