/**
 * The offset a client keeps: the position of an event in the log, as seven characters. Positions start at the time in ms
 * at which the log was made, so that those of an earlier process are lower.
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LENGTH = 7;
const VALUES = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

/** The offset of a position. */
export function offsetOf(position: number): string {
  let rest = position;
  let offset = "";
  for (let i = 0; i < LENGTH; i++) {
    offset = ALPHABET.charAt(rest % ALPHABET.length) + offset;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return offset;
}

/** The position of an offset; undefined if it is none, as clients keep any text that ends an event. */
export function positionOf(offset: string): number | undefined {
  if (offset.length !== LENGTH) return undefined;
  let position = 0;
  for (const character of offset) {
    const value = VALUES.get(character);
    if (value === undefined) return undefined;
    position = position * ALPHABET.length + value;
  }
  return position;
}
