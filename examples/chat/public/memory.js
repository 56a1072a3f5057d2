// Settings that the browser keeps for the next visit. Private windows may not keep them.

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
    // The chat works without them.
  }
}
