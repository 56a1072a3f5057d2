/** Every error of this package, with its message. */
const messages = {
  NO_CONNECTION: (): string =>
    'the option "connection" must be a connection of nats 2.29 or later, or of @nats-io/transport-node 3 or later',
  BAD_LEASE: (): string => 'the option "lease" must be a number of ms, at least 1000',
  BAD_PREFIX: (): string =>
    'the option "prefix" must be words of A-Z a-z 0-9 _ - with dots between them, such as "acme.tidewire"',
} as const;

/** Identifies an error of this package. */
export type NatsErrorCode = keyof typeof messages;

/** Why NATS cannot be used. */
export class NatsError extends Error {
  override readonly name: string = "NatsError";
  readonly code: NatsErrorCode;

  constructor(code: NatsErrorCode) {
    super(messages[code]());
    this.code = code;
  }
}
