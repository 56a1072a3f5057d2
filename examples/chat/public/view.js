// Small helpers to build the page. Text always arrives as text: no string becomes markup anywhere.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A round mark with the first letter of a name, in a colour that is always the same for that name. */
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

/** Whether the last line of a list that scrolls can be seen, or nearly. */
export const isAtEnd = (view) => view.scrollHeight - view.scrollTop - view.clientHeight < 80;

export function scrollToEnd(view) {
  view.scrollTop = view.scrollHeight;
}

/** Keeps the end in view when the list becomes lower, as when a phone opens its keyboard. */
export function keepAtEnd(view) {
  let wasAtEnd = true;
  let width = 0;
  let height = 0;
  const follow = () => {
    // A change of size scrolls too. Only a person who scrolls says where they want to be.
    if (view.clientWidth === width && view.clientHeight === height) wasAtEnd = isAtEnd(view);
  };
  view.addEventListener("scroll", follow, { passive: true });
  new ResizeObserver(() => {
    ({ clientWidth: width, clientHeight: height } = view);
    if (wasAtEnd) scrollToEnd(view);
  }).observe(view);
}
