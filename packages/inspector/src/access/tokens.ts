import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a page may take to connect, in ms. */
const LIFETIME = 30_000;

/**
 * Tokens with which the page joins: only who was given the page can have one, so that no page of another origin can connect with the
 * cookies of a visitor. They hold their own end, so that none is remembered.
 */
export class Tokens {
  readonly #key: Buffer;
  readonly #now: () => number;

  /** @param secret - of all processes that serve the same page; a random one by default */
  constructor(secret?: string, now: () => number = Date.now) {
    this.#key =
      secret === undefined
        ? randomBytes(32)
        : createHmac("sha256", "tidewire inspector").update(secret).digest();
    this.#now = now;
  }

  create(): string {
    return this.#signed(`${this.#now() + LIFETIME}.${randomBytes(9).toString("base64url")}`);
  }

  isValid(token: unknown): boolean {
    if (typeof token !== "string" || token.length > 200) return false;
    const body = token.slice(0, token.lastIndexOf("."));
    const expected = Buffer.from(this.#signed(body));
    const given = Buffer.from(token);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    return Number.parseInt(body, 10) > this.#now();
  }

  #signed(body: string): string {
    return `${body}.${createHmac("sha256", this.#key).update(body).digest("base64url")}`;
  }
}
