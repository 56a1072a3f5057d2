/**
 * The offset that a client keeps: the position of an event in the log, in seven characters. Positions start at the time in ms at
 * which the log was created, so that those of an earlier process are lower.
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LENGTH = 7;
const VALUES = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

/** Returns the offset of a position. */
export function offsetOf(position: number): string {
  let rest = position;
  let offset = "";
  for (let i = 0; i < LENGTH; i++) {
    offset = ALPHABET.charAt(rest % ALPHABET.length) + offset;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return offset;
}

/** Returns the position of an offset, or undefined for other text: clients keep any string that ends an event. */
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
