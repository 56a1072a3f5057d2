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
