import fc from "fast-check";

/** How many mutated inputs each property tries; more by the environment, for a long run. */
export const MUTATIONS: number = Number(process.env["ORACLE_RUNS"] ?? 1000);

const pieces = [
  ...Array.from('0123456789-/,[]{}":._ +eEb?\\'),
  "\x1e",
  "\x00",
  "é",
  "€",
  "😀",
  "\ud800",
  "null",
  "true",
  "-0",
  "1e1",
  "51-",
  "10:",
  '"connect"',
  "_placeholder",
  '"num":0',
];

const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat({ max: 4 }) });

/** Texts that are nearly valid: one to four small edits of a valid one. */
export function mutatedText(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edits = fc.array(fc.tuple(edit, fc.constantFrom("", ...pieces)), { minLength: 1, maxLength: 4 });
  return fc.tuple(valid, edits).map(([text, changes]) =>
    changes.reduce((changed, [{ at, cut }, piece]) => {
      const start = Math.floor(at * (changed.length + 1));
      return changed.slice(0, start) + piece + changed.slice(start + cut);
    }, text),
  );
}

/** The same for bytes. */
export function mutatedBytes(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const byte = fc.oneof(fc.constantFrom(0, 1, 4, 9, 10, 0x34, 0x80, 0xed, 255), fc.nat({ max: 255 }));
  const edits = fc.array(fc.tuple(edit, fc.array(byte, { maxLength: 3 })), { minLength: 1, maxLength: 4 });
  return fc.tuple(valid, edits).map(([bytes, changes]) =>
    changes.reduce((changed, [{ at, cut }, inserted]) => {
      const start = Math.floor(at * (changed.length + 1));
      return Buffer.concat([
        changed.subarray(0, start),
        Buffer.from(inserted),
        changed.subarray(start + cut),
      ]);
    }, bytes),
  );
}
