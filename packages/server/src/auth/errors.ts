/** Why the credentials of a socket no longer count, with the message for clients and operators. */
export const authErrors = {
  AUTH_EXPIRED: "the credentials have expired",
  AUTH_REFUSED: "a middleware has refused the credentials",
} as const;

/** Identifies why the credentials of a socket no longer count. */
export type AuthErrorCode = keyof typeof authErrors;

/** The description of `disconnect` when the credentials of a socket no longer count. */
export class AuthError extends Error {
  override readonly name: string = "AuthError";
  readonly code: AuthErrorCode;
  /** For the client, as `error.data` of its `connect_error` if the credentials expire before it has joined. */
  readonly data: { readonly code: AuthErrorCode };

  /**
   * @param cause - of AUTH_REFUSED, the error of the middleware; of AUTH_EXPIRED, the error of `refresh`, if there was one
   */
  constructor(code: AuthErrorCode, cause?: unknown) {
    const detail = cause instanceof Error ? `: ${cause.message}` : "";
    super(authErrors[code] + detail, cause === undefined ? undefined : { cause });
    this.code = code;
    this.data = { code };
  }
}

/** What the client receives as `auth:ended`. */
export interface AuthEnded {
  readonly code: AuthErrorCode;
  readonly message: string;
  /** the `data` of the middleware's error, as in `connect_error` */
  readonly data?: unknown;
}

/** Describes the end to the client. What went wrong on the server is not its business. */
export function endingOf({ code, cause }: AuthError): AuthEnded {
  if (code === "AUTH_EXPIRED" || !(cause instanceof Error)) return { code, message: authErrors[code] };
  const { message, data } = cause as Error & { data?: unknown };
  return { code, message, data };
}
