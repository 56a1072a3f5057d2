import { serialize } from "cookie";

/** Attributes of the session cookie. */
export interface CookieOptions {
  /** In seconds. */
  maxAge?: number;
  expires?: Date;
  domain?: string;
  /** Default `/`. */
  path?: string;
  /** Default true. */
  httpOnly?: boolean;
  secure?: boolean;
  partitioned?: boolean;
  priority?: "low" | "medium" | "high";
  /** Default `lax`. */
  sameSite?: boolean | "lax" | "strict" | "none";
  encode?: (value: string) => string;
}

/** The `Set-Cookie` header of a handshake. */
export function sessionCookie(
  sid: string,
  { name, ...attributes }: { name: string } & CookieOptions,
): string {
  return serialize(name, sid, attributes);
}
