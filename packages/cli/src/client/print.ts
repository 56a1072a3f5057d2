/** A value as text on one line; bytes as their number and their hexadecimal beginning. */
export function printed(value: unknown): string {
  return JSON.stringify(value, replaceBytes) ?? "undefined";
}

/** The same for programs: bytes are `{ "base64": … }`. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, encodeBytes) ?? "null";
}

const SHOWN = 16;

function replaceBytes(this: unknown, key: string, value: unknown): unknown {
  const bytes = bytesAt(this, key);
  if (bytes === undefined) return value;
  const rest = bytes.length > SHOWN ? "…" : "";
  return `<${bytes.length} bytes: ${bytes.subarray(0, SHOWN).toString("hex")}${rest}>`;
}

function encodeBytes(this: unknown, key: string, value: unknown): unknown {
  const bytes = bytesAt(this, key);
  return bytes === undefined ? value : { base64: bytes.toString("base64") };
}

/** `toJSON` has already replaced the Buffer itself. */
function bytesAt(holder: unknown, key: string): Buffer | undefined {
  const value = (holder as Record<string, unknown>)[key];
  return Buffer.isBuffer(value) ? value : undefined;
}
