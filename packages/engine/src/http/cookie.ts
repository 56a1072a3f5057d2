import { serialize } from "cookie";
import type { CookieSerializeOptions } from "cookie";

/** Attributes of the session cookie. */
export type SerializeOptions = CookieSerializeOptions;

/** The `Set-Cookie` header of a handshake. */
export function sessionCookie(
  sid: string,
  { name, ...attributes }: { name: string } & SerializeOptions,
): string {
  return serialize(name, sid, attributes);
}
