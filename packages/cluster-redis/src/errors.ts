/** Every error of this package, with its message. */
const messages = {
  NO_CLIENT: (): string =>
    'the option "client" must be a client of ioredis 5 or later, or of redis 4 or later',
  BAD_MAX_EVENTS: (): string => 'the option "maxEvents" must be a whole number, at least 1',
  BAD_LEASE: (): string => 'the option "lease" must be a number of ms, at least 1000',
} as const;

/** Identifies an error of this package. */
export type RedisErrorCode = keyof typeof messages;

/** Why Redis cannot be used. */
export class RedisError extends Error {
  override readonly name: string = "RedisError";
  readonly code: RedisErrorCode;

  constructor(code: RedisErrorCode) {
    super(messages[code]());
    this.code = code;
  }
}
