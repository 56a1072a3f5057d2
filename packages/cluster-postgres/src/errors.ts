/** Every error of this package, with its message. */
const messages = {
  NO_CLIENT: (): string =>
    'give the option "pool", a Pool of pg 8 or later, or "client", a function that returns a new Client',
  BAD_LEASE: (): string => 'the option "lease" must be a number of ms, at least 1000',
  BAD_PREFIX: (): string =>
    'the option "prefix" must be 1 to 15 of the characters a-z 0-9 _, of which the first is no digit',
  NO_TABLE: (detail: string): string => `the table of nodes is missing and cannot be created: ${detail}`,
  NO_ANSWER: (ms: string): string => `no answer for ${ms} ms`,
  ENDED: (): string => "the connection has ended",
} as const;

/** Identifies an error of this package. */
export type PostgresErrorCode = keyof typeof messages;

/** Why PostgreSQL cannot be used. */
export class PostgresError extends Error {
  override readonly name: string = "PostgresError";
  readonly code: PostgresErrorCode;

  /** @param detail - the value in the message, if there is one */
  constructor(code: PostgresErrorCode, detail: string = "", options?: ErrorOptions) {
    super(messages[code](detail), options);
    this.code = code;
  }
}
