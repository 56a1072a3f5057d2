// Validates every field that a client sends: returns it cleaned, or throws a Refusal.
import { limits } from "./limits.js";

/** Thrown for invalid input; the page shows its message. */
export class Refusal extends Error {}

// Control characters, and characters that change the direction of text.
const UNSEEN = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const ROOM = /^[\p{L}\p{N}]+(-[\p{L}\p{N}]+)*$/u;
const ID = /^[\w-]{8,40}$/;

/** Whether a file begins like an image of each accepted type; `head` has its first bytes, one character each. */
const SIGNATURES = {
  "image/png": (head) => head.startsWith("\x89PNG\r\n\x1a\n"),
  "image/jpeg": (head) => head.startsWith("\xff\xd8\xff"),
  "image/gif": (head) => head.startsWith("GIF87a") || head.startsWith("GIF89a"),
  "image/webp": (head) => head.startsWith("RIFF") && head.startsWith("WEBP", 8),
};

export function nickname(value) {
  const name = line(value, "a nickname", limits.nickname).replace(/\s+/gu, " ");
  if (UNSEEN.test(name)) throw new Refusal("A nickname has visible characters only.");
  return name;
}

export function roomName(value) {
  const name = line(value, "a room's name", limits.roomName).toLowerCase();
  if (!ROOM.test(name)) throw new Refusal("A room's name has letters, digits and single hyphens only.");
  return name;
}

export function messageId(value) {
  if (typeof value !== "string" || !ID.test(value)) throw new Refusal("The message has no valid id.");
  return value;
}

/** The text of a message; it may be empty only beside an image. */
export function messageText(value, mayBeEmpty) {
  if (mayBeEmpty && (value === undefined || value === "")) return "";
  return line(value, "a message", limits.message);
}

export function image(value) {
  if (value === null || typeof value !== "object") throw new Refusal("The image is missing.");
  const { type, name, data } = value;
  // Check the type first: an object such as `{ toString: 1 }` throws when used as a key.
  if (typeof type !== "string" || !Object.hasOwn(SIGNATURES, type))
    throw new Refusal("Only PNG, JPEG, GIF and WebP images are accepted.");
  if (!Buffer.isBuffer(data)) throw new Refusal("The image has to be sent as binary data.");
  if (data.length > limits.image) {
    throw new Refusal(`The image is larger than ${limits.image / 1e6} MB.`);
  }
  if (!SIGNATURES[type](data.toString("latin1", 0, 16))) {
    throw new Refusal("The file is not the image it says it is.");
  }
  return { type, name: fileName(name), data };
}

function fileName(value) {
  if (typeof value !== "string") return "image";
  const name = value.replace(/[/\\]/g, "_").replace(new RegExp(UNSEEN, "gu"), "").trim();
  return name.slice(-80) || "image";
}

function line(value, what, longest) {
  if (typeof value !== "string") throw new Refusal(`Give ${what}.`);
  const text = value.normalize().trim();
  if (text === "") throw new Refusal(`Give ${what}.`);
  // A character may be two UTF-16 units: check the cheap bound first, then the exact one.
  if (text.length > longest * 2 || Array.from(text).length > longest) {
    throw new Refusal(`At most ${longest} characters.`);
  }
  return text;
}
