/** Closes something at the end of its scope: `using _client = closing(() => client.close())`. */
export function closing(close: () => void): Disposable {
  return { [Symbol.dispose]: close };
}

/** Things made together, with what closes them: `await using made = owning({ client, socket }, server)`. */
export function owning<T extends object>(
  things: T,
  ...owners: readonly AsyncDisposable[]
): T & AsyncDisposable {
  return Object.assign(things, {
    [Symbol.asyncDispose]: async () => {
      for (const owner of owners.toReversed()) await owner[Symbol.asyncDispose]();
    },
  });
}
