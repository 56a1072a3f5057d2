import { serialize } from "cookie";

/** Attributes of the session cookie. */
export interface CookieOptions {
  /** In seconds. */
  maxAge?: number | undefined;
  expires?: Date | undefined;
  domain?: string | undefined;
  /** Default `/`. */
  path?: string | undefined;
  /** Default true. */
  httpOnly?: boolean | undefined;
  secure?: boolean | undefined;
  partitioned?: boolean | undefined;
  priority?: "low" | "medium" | "high" | undefined;
  /** Default `lax`. */
  sameSite?: boolean | "lax" | "strict" | "none" | undefined;
  encode?: (value: string) => string;
}

/** Returns the `Set-Cookie` header of a handshake. */
export function sessionCookie(
  sid: string,
  { name, ...attributes }: { name: string } & CookieOptions,
): string {
  return serialize(name, sid, attributes);
}
