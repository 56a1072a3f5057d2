interface Warning {
  readonly code: string | undefined;
  readonly message: string;
}

/** The warnings with this code that the process emits while `act` runs, and in the tick after it. */
export async function warningsOf(code: string, act: () => unknown): Promise<string[]> {
  const messages: string[] = [];
  const listener = (warning: Warning): void => {
    if (warning.code === code) messages.push(warning.message);
  };
  process.on("warning", listener as never);
  try {
    await act();
    await new Promise(setImmediate);
  } finally {
    process.off("warning", listener as never);
  }
  return messages;
}
