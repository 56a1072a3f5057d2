// Counts the objects in a heap snapshot by constructor.
import { text } from "node:stream/consumers";
import v8 from "node:v8";

/** The kinds of nodes that count. Code, hidden classes, numbers and strings vary with the optimiser. */
const KINDS = new Set(["object", "closure", "array", "native"]);

/** @returns counts by name; undefined on Bun, which has another format */
export async function countObjects() {
  if (process.versions.bun !== undefined) return undefined;
  const { snapshot, nodes, strings } = JSON.parse(await text(v8.getHeapSnapshot()));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [kind, name] = [fields.indexOf("type"), fields.indexOf("name")];
  const counts = {};
  for (let i = 0; i < nodes.length; i += fields.length) {
    if (!KINDS.has(types[kind][nodes[i + kind]])) continue;
    const key = strings[nodes[i + name]];
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/**
 * Finds constructors that have more objects than before.
 *
 * @param tolerance ignores smaller increases
 * @returns "name +count", the largest increase first
 */
export function grown(before, after, tolerance) {
  return Object.entries(after)
    .map(([name, count]) => ({ name, more: count - (before[name] ?? 0) }))
    .filter(({ more }) => more > tolerance)
    .toSorted((a, b) => b.more - a.more)
    .map(({ name, more }) => `${name} +${more}`);
}
