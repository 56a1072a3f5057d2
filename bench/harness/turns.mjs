/**
 * Calls `visit` with each item, in a turn of the event loop of its own.
 *
 * @template Item
 * @param {readonly Item[]} items
 * @param {(item: Item) => void} visit
 */
export function eachInItsTurn(items, visit) {
  let at = 0;
  const next = () => {
    if (at === items.length) return;
    visit(items[at++]);
    setImmediate(next);
  };
  next();
}
