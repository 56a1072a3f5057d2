import { styleText } from "node:util";

type Paint = (text: string) => string;

/** How a command emphasises text. Nothing is coloured unless a person looks at it. */
export interface Style {
  readonly good: Paint;
  readonly bad: Paint;
  readonly hint: Paint;
  readonly faint: Paint;
  readonly strong: Paint;
}

const plain: Paint = (text) => text;

/** Whether the stream is a terminal was asked before; `styleText` would ask for the standard output. */
function painted(format: "green" | "red" | "yellow" | "dim" | "bold"): Paint {
  return (text) => styleText(format, text, { validateStream: false });
}

const PLAIN: Style = { good: plain, bad: plain, hint: plain, faint: plain, strong: plain };
const COLOURED: Style = {
  good: painted("green"),
  bad: painted("red"),
  hint: painted("yellow"),
  faint: painted("dim"),
  strong: painted("bold"),
};

export function isTerminal(stream: NodeJS.WritableStream): boolean {
  return "isTTY" in stream && stream.isTTY === true;
}

/** Colours for a terminal, unless the environment has `NO_COLOR`. */
export function styleFor(stream: NodeJS.WritableStream): Style {
  return isTerminal(stream) && !process.env["NO_COLOR"] ? COLOURED : PLAIN;
}
