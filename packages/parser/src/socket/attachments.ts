import { Blob } from "node:buffer";
import { blobError, ParseError } from "../errors.ts";

/** What is sent as a binary attachment. */
export type Binary = ArrayBuffer | ArrayBufferView;

/** Whether a value goes out of a packet as an attachment of its own. */
export function isBinary(value: unknown): value is Binary {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** That of an environment such as jsdom is not Node's. */
const ForeignBlob = globalThis.Blob === Blob ? undefined : (globalThis.Blob as typeof Blob | undefined);

function isBlob(value: object): boolean {
  return value instanceof Blob || (ForeignBlob !== undefined && value instanceof ForeignBlob);
}

/** The bytes of a binary value, without a copy. */
export function toBuffer(value: Binary): Buffer {
  if (Buffer.isBuffer(value)) {
    return value;
  }
  return value instanceof ArrayBuffer
    ? Buffer.from(value)
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** An object or array, seen as its fields. */
type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Inside `for … in` V8 answers this from its enumeration cache; `Object.hasOwn` takes 1.6 times as long. */
function isOwn(value: Fields, key: string): boolean {
  return Object.prototype.hasOwnProperty.call(value, key);
}

function hasToJSON(value: Fields): value is Fields & { toJSON(): unknown } {
  return typeof value["toJSON"] === "function";
}

/** Whether there is anything binary in a value, wherever `JSON.stringify` would look. */
export function hasBinary(value: unknown): boolean {
  if (!isObject(value)) {
    return false;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (hasBinary(value[i])) {
        return true;
      }
    }
    return false;
  }
  if (isBinary(value) || isBlob(value)) {
    return true;
  }
  return hasToJSON(value) ? jsonHasBinary(value.toJSON()) : fieldsHaveBinary(value);
}

/** What `toJSON` returned is taken as it is: its own `toJSON` is not asked again. */
function jsonHasBinary(json: unknown): boolean {
  if (!isObject(json) || Array.isArray(json) || !hasToJSON(json)) {
    return hasBinary(json);
  }
  return isBinary(json) || isBlob(json) || fieldsHaveBinary(json);
}

function fieldsHaveBinary(value: Fields): boolean {
  for (const key in value) {
    if (isOwn(value, key) && hasBinary(value[key])) {
      return true;
    }
  }
  return false;
}

/**
 * A copy of `value` in which every binary value is a numbered placeholder; the bytes are appended to `attachments`.
 * @throws TypeError if there is a Blob in it: its bytes cannot be had at once
 */
export function takeAttachments(value: unknown, attachments: Buffer[], fromToJSON: boolean = false): unknown {
  if (!isObject(value) || value instanceof Date) {
    return value;
  }
  if (isBinary(value)) {
    return { _placeholder: true, num: attachments.push(toBuffer(value)) - 1 };
  }
  if (Array.isArray(value)) {
    return value.map((item) => takeAttachments(item, attachments));
  }
  if (isBlob(value)) {
    throw blobError();
  }
  if (!fromToJSON && hasToJSON(value)) {
    return takeAttachments(value.toJSON(), attachments, true);
  }
  const copy: Fields = {};
  for (const key in value) {
    if (!isOwn(value, key)) {
      continue;
    }
    const field = value[key];
    if (key === "toJSON" && typeof field === "function") {
      continue; // not to be asked again, by JSON.stringify either
    }
    const copied = takeAttachments(field, attachments);
    if (key === "__proto__") {
      Object.defineProperty(copy, key, { value: copied, enumerable: true });
    } else {
      copy[key] = copied;
    }
  }
  return copy;
}

/**
 * Puts the attachments where their placeholders are, in place.
 * A list instead of recursion: a client chooses how deep the data is.
 * @throws ParseError if a placeholder names an attachment that does not exist
 */
export function putAttachments(data: unknown, attachments: readonly Binary[]): void {
  if (!isObject(data)) {
    return;
  }
  const containers = [data];
  for (let fields = containers.pop(); fields !== undefined; fields = containers.pop()) {
    if (Array.isArray(fields)) {
      for (let i = 0; i < fields.length; i++) putAttachment(fields, i, attachments, containers);
    } else {
      for (const key of Object.keys(fields)) putAttachment(fields, key, attachments, containers);
    }
  }
}

/** Fills in a field, or adds it to the containers that are still to be looked into. */
function putAttachment(
  fields: Record<string | number, unknown>,
  key: string | number,
  attachments: readonly Binary[],
  containers: Fields[],
): void {
  const value = fields[key];
  if (!isObject(value) || isBinary(value)) return;
  if (value["_placeholder"] === true) fields[key] = attachmentAt(value["num"], attachments);
  else containers.push(value);
}

function attachmentAt(index: unknown, attachments: readonly Binary[]): Binary {
  const attachment = typeof index === "number" ? attachments[index] : undefined;
  if (attachment === undefined) {
    throw new ParseError("ILLEGAL_PLACEHOLDER");
  }
  return attachment;
}
