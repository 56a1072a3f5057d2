/** What a check says: all is well; worth knowing; wrong; or not looked at, because an earlier check failed. */
export type Status = "ok" | "note" | "wrong" | "skipped";

/** Whose configuration has to change. */
export type Place = "nginx" | "HAProxy" | "Apache" | "application";

export interface Fix {
  readonly where: Place;
  readonly lines: readonly string[];
}

export interface Finding {
  readonly status: Status;
  /** What the check saw. */
  readonly found: string;
  /** What that means, unless all is well. */
  readonly meaning?: string;
  readonly fixes?: readonly Fix[];
}

export function ok(found: string): Finding {
  return { status: "ok", found };
}

export function note(found: string, meaning: string, fixes: readonly Fix[] = []): Finding {
  return { status: "note", found, meaning, fixes };
}

export function wrong(found: string, meaning: string, fixes: readonly Fix[] = []): Finding {
  return { status: "wrong", found, meaning, fixes };
}

export function skipped(found: string): Finding {
  return { status: "skipped", found };
}
