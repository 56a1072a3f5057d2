/** The description of a `transport close` for a client that has come back on another connection before this one was known to be dead. */
export class ReplacedError extends Error {
  override readonly name: string = "ReplacedError";
  readonly code = "REPLACED";

  constructor() {
    super("the client has come back on another connection");
  }
}
