const BLANK = /[^\n]/g;

/** One token in which comments look like something else, or a comment. */
const TOKENS =
  /\\[^]|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;

/** JavaScript or TypeScript whose comments are blank; each line keeps its number. */
export function uncommented(code: string): string {
  return code.replace(TOKENS, (token) => (/^\/[/*]/.test(token) ? token.replace(BLANK, " ") : token));
}

/** A configuration without what follows a `#` at the beginning of a line or after a space. */
export function withoutHashes(text: string): string {
  return text.replace(/(^|\s)#[^\n]*/g, "$1");
}
