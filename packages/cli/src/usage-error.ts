/** The arguments of a command make no sense. The message says what to do. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
