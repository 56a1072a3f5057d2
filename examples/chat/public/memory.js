// What the browser keeps for the next visit. Private windows may refuse to keep anything: then it is forgotten.

export function load(key, where = localStorage) {
  try {
    return where.getItem(`tidewire.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function store(key, value, where = localStorage) {
  try {
    where.setItem(`tidewire.${key}`, value);
  } catch {
    // Nothing to do: the chat works without.
  }
}
