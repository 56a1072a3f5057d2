/** What differs: something has to change, or somebody should look whether it has to. */
export type Level = "change" | "check";

/** Something in a project that behaves differently with Tidewire. */
export interface Rule {
  readonly id: string;
  readonly level: Level;
  /** Which files it is about, by their names. */
  readonly files: RegExp;
  /** What a line looks like that it is about; the first such line of each place counts. */
  readonly line: RegExp;
  /** The rule is about files whose text matches this, too. */
  readonly alsoIn?: RegExp;
  /** The rule is not about files whose text matches this. */
  readonly unless?: RegExp;
  readonly what: string;
  readonly todo: string;
  /** The page of the documentation with the fact, and words from there. */
  readonly from: readonly [page: string, words: string];
}
