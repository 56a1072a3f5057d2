/** Closes something at the end of its scope: `using _client = closing(() => client.close())`. */
export function closing(close: () => void): Disposable {
  return { [Symbol.dispose]: close };
}
