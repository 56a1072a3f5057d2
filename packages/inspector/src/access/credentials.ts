import { createHash, timingSafeEqual } from "node:crypto";

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** A name and a password, of which only digests are kept, so that a comparison takes the same time whatever is given. */
export class Credentials {
  readonly #username: Buffer;
  readonly #password: Buffer;

  constructor({ username, password }: { readonly username: string; readonly password: string }) {
    this.#username = digest(username);
    this.#password = digest(password);
  }

  /** Whether a header `Authorization` has both. */
  match(header: string): boolean {
    const [, encoded = ""] = /^Basic +([\w+/=-]+) *$/i.exec(header) ?? [];
    const text = Buffer.from(encoded, "base64").toString();
    const colon = text.indexOf(":");
    const isUser = timingSafeEqual(digest(text.slice(0, Math.max(0, colon))), this.#username);
    const isPassword = timingSafeEqual(digest(text.slice(colon + 1)), this.#password);
    return colon !== -1 && isUser && isPassword;
  }
}
