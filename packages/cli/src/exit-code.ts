/** How the process ends. */
export const ExitCode = {
  /** It did what it was asked to. */
  DONE: 0,
  FAILED: 1,
  /** The arguments make no sense. */
  USAGE: 2,
} as const;
