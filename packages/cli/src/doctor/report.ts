import type { Style } from "../output/style.ts";
import type { Result } from "./examination.ts";
import type { Fix, Place, Status } from "./finding.ts";

const WORD_WIDTH = "skipped".length;

/** The lines of the report, aligned. */
export class Report {
  readonly #style: Style;
  readonly #width: number;

  /** @param names - of all checks, for the width of their column */
  constructor(style: Style, names: readonly string[]) {
    this.#style = style;
    this.#width = Math.max(...names.map(({ length }) => length));
  }

  /** @param proxy - the proxy in front, if it is known: the lines for others are left out */
  lines({ name, status, found, meaning, fixes = [] }: Result, proxy: Place | undefined): string[] {
    const paint = this.#paint(status);
    const head = `${paint(status.padEnd(WORD_WIDTH))}  ${name.padEnd(this.#width)}  ${found}`;
    const indent = " ".repeat(WORD_WIDTH + this.#width + 4);
    const below = [
      ...(meaning === undefined ? [] : [meaning]),
      ...useful(fixes, proxy).flatMap(({ where, lines }) => [
        this.#style.faint(`${where}:`),
        ...lines.map((line) => `  ${this.#style.strong(line)}`),
      ]),
    ];
    return [head, ...below.map((line) => indent + line)];
  }

  summary(results: readonly Result[]): string {
    const wrong = results.filter(({ status }) => status === "wrong").length;
    if (wrong === 0) return this.#style.good("All is well.");
    return this.#style.bad(wrong === 1 ? "One thing is wrong." : `${wrong} things are wrong.`);
  }

  #paint(status: Status): (text: string) => string {
    const { good, bad, hint, faint } = this.#style;
    return { ok: good, wrong: bad, note: hint, skipped: faint }[status];
  }
}

function useful(fixes: readonly Fix[], proxy: Place | undefined): readonly Fix[] {
  return proxy === undefined
    ? fixes
    : fixes.filter(({ where }) => where === proxy || where === "application");
}
