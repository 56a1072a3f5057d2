// Everything that clients can influence enters the page as text: there is no other way in here.

/** The element of an id. */
export function get(id) {
  return document.getElementById(id);
}

/**
 * Creates an element. Of the properties, `class`, `data-…`, `aria-…`, `href` and the like are attributes, and functions are listeners.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== undefined && child !== "") element.append(child);
  return element;
}

/** Sets the text of an element, if it has changed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Replaces the children, unless they show the same as before. */
export function fill(element, key, make) {
  const text = JSON.stringify(key);
  if (element.dataset.shown === text) return;
  element.dataset.shown = text;
  element.replaceChildren(...make());
}

/** Calls back once nothing has been typed for a moment. */
export function settled(callback, delay = 200) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(), delay);
  };
}

/** Offers the namespaces of the server in a field, and keeps what was chosen. */
export function offerNamespaces(select, namespaces, all = "Any namespace") {
  const names = namespaces.map(({ name }) => name);
  const { value } = select;
  if (value !== "" && !names.includes(value)) names.push(value);
  fill(select, [all, names], () => [
    ...(all === undefined ? [] : [el("option", { value: "" }, all)]),
    ...names.map((name) => el("option", { value: name }, name)),
  ]);
  select.value = value;
}

/** Chooses a namespace that may not be offered yet. */
export function choose(select, value) {
  const isOffered = [...select.options].some((option) => option.value === value);
  if (!isOffered) select.append(el("option", { value }, value));
  select.value = value;
}
