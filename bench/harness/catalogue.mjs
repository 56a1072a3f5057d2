// What there is to run: every file in workloads/ and servers/.
import { readdir } from "node:fs/promises";

/** @typedef {import("../types.d.ts").Variant} Variant */
/** @typedef {import("../types.d.ts").Workload} Workload */

/** @param {string} folder */
async function modules(folder) {
  const base = new URL(folder, import.meta.url);
  const names = (await readdir(base)).filter((name) => name.endsWith(".mjs"));
  return Promise.all(
    names.map(async (name) => {
      const url = new URL(name, base).href;
      return { url, content: (await import(url)).default };
    }),
  );
}

/** @returns {Promise<Workload[]>} in the order of the report */
export async function findWorkloads() {
  /** @type {Workload[]} */
  const workloads = (await modules("../workloads/")).flatMap(({ content }) => content);
  return workloads.toSorted((a, b) => a.order - b.order);
}

/** @returns {Promise<{ variant: Variant, url: string }[]>} in the order of a round */
export async function findVariants() {
  /** @type {{ variant: Variant, url: string }[]} */
  const found = (await modules("../servers/")).map(({ url, content }) => ({ url, variant: content }));
  return found.toSorted((a, b) => a.variant.order - b.variant.order);
}

/**
 * Picks by name: "echo" means echo-1 and echo-16 too.
 *
 * @template T
 * @param {T[]} all
 * @param {string[]} wanted all when empty
 * @param {(item: T) => string} nameOf
 * @returns {T[]} in their own order
 * @throws {Error} when a name fits nothing
 */
export function pick(all, wanted, nameOf) {
  if (wanted.length === 0) return all;
  const fits = (/** @type {T} */ item, /** @type {string} */ name) =>
    nameOf(item) === name || nameOf(item).startsWith(`${name}-`);
  for (const name of wanted) {
    if (!all.some((item) => fits(item, name))) {
      throw new Error(`there is no "${name}"; there are: ${all.map(nameOf).join(", ")}`);
    }
  }
  return all.filter((item) => wanted.some((name) => fits(item, name)));
}
