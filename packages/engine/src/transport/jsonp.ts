import { parse } from "node:querystring";
import { AnswerHead } from "../host/answer-head.ts";
import type { BodyFormat } from "./body-format.ts";

const script: AnswerHead = new AnswerHead("text/javascript; charset=UTF-8");

/**
 * Bodies for browsers that may only load scripts and submit forms across origins: a poll is answered with a script that calls
 * `___eio[index]` with the payload, and packets come as the field `d` of a form.
 */
export class JsonpFormat implements BodyFormat {
  /** A script cannot hold bytes: binary data is base64. */
  readonly binary: boolean = false;
  readonly #head: string;

  /** @param index - the query parameter `j`. It goes into a script, so only its digits are used. */
  constructor(index: string) {
    this.#head = `___eio[${index.replace(/[^0-9]/g, "")}](`;
  }

  /** Browsers that must not guess types run no script that is sent as plain text. */
  head(): AnswerHead {
    return script;
  }

  wrap(payload: string | Buffer): string {
    // Old browsers take both for line ends in a script, while JSON allows them unescaped.
    const literal = JSON.stringify(payload.toString())
      .replaceAll("\u2028", "\\u2028")
      .replaceAll("\u2029", "\\u2029");
    return `${this.#head}${literal});`;
  }

  unwrap(body: Buffer): string | undefined {
    const { d } = parse(body.toString());
    if (typeof d !== "string") return undefined;
    // Browsers rewrite the newlines of a form, so clients send a newline as \n, and a literal \n as \\n.
    return d.replace(/(\\)?\\n/g, (_, escaped?: string) => (escaped === undefined ? "\n" : "\\n"));
  }
}
