/** Describes a `transport close` because the client reconnected before this connection was known to be dead. */
export class ReplacedError extends Error {
  override readonly name: string = "ReplacedError";
  readonly code = "REPLACED";

  constructor() {
    super("the client has reconnected on another connection");
  }
}
