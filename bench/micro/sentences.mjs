// The sentences of pages that say how long a function takes.
import { describeMachine, versions } from "../report/machine.mjs";
import { replacePart } from "../report/parts.mjs";

const fileOf = (path) => new URL(`../../${path}`, import.meta.url);

/** By the name of a part. `of` returns the median of a benchmark, with its unit. */
const sentences = {
  contract: {
    file: fileOf("packages/contract/README.md"),
    text: (of) =>
      `A check by zod takes ${of("a text of 64 bytes")} for a text of 64 bytes, and ${of("an object with two members")} for an object with two members`,
  },
};

/** @param {number} ns */
const shown = (ns) => `${Number((ns / 1e3).toPrecision(2))} µs`;

/**
 * Writes the sentences of the parts that have one.
 *
 * @param parts the names of the measured parts
 * @param benchmarks the results of mitata
 * @returns the names of the written ones
 */
export function writeSentences(parts, benchmarks) {
  const of = (name) => {
    const stats = benchmarks.find(({ alias }) => alias === name)?.runs[0]?.stats;
    if (stats === undefined) throw new Error(`"${name}" was not measured`);
    return shown(stats.p50);
  };
  const date = new Date().toISOString().slice(0, 10);
  const machine = describeMachine(`tidewire ${versions().tidewire}`);
  return parts.filter((part) => {
    const sentence = sentences[part];
    if (sentence === undefined) return false;
    replacePart(
      sentence.file,
      part,
      `${sentence.text(of)}: medians of ${date}, \`npm run bench:micro -- ${part}\`; ${machine}.`,
    );
    return true;
  });
}
