// Finds the workloads and servers: the default exports of all files in workloads/ and servers/, one item or an array each.
import { readdir } from "node:fs/promises";

/** Returns the items in their order, with the `url` of their file. */
async function itemsIn(folder) {
  const base = new URL(folder, import.meta.url);
  const names = (await readdir(base)).filter((name) => name.endsWith(".mjs"));
  const found = await Promise.all(
    names.map(async (name) => {
      const url = new URL(name, base).href;
      const { default: items } = await import(url);
      return [items].flat().map((item) => ({ ...item, url }));
    }),
  );
  return found.flat().toSorted((a, b) => a.order - b.order);
}

/** @type {() => Promise<Workload[]>} */
export const findWorkloads = () => itemsIn("../workloads/");

/** @type {() => Promise<Variant[]>} */
export const findVariants = () => itemsIn("../servers/");

/**
 * Picks items by name; "echo" also picks echo-1 and echo-16. Without names, picks all items that need not be named.
 *
 * @throws {Error} if a name fits nothing
 */
export function pick(all, wanted) {
  if (wanted.length === 0) return all.filter(({ named }) => !named);
  const fits = (item, name) => item.name === name || item.name.startsWith(`${name}-`);
  for (const name of wanted) {
    if (all.some((item) => fits(item, name))) continue;
    throw new Error(`there is no "${name}"; there are: ${all.map((item) => item.name).join(", ")}`);
  }
  return all.filter((item) => wanted.some((name) => fits(item, name)));
}
