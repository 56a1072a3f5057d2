// The commands on the pages: the lines of indented blocks, and what stands in the text between backticks.
import { blocksOf, textOf } from "./blocks.ts";

/** The words of a command line, as a shell reads them: separated by spaces, unless they are quoted. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3]!);
}

/** The lines of the indented blocks and of those in `sh` of a page that begin with a command, without their comments. */
export function commandLinesOf(page: string): string[] {
  return blocksOf(page)
    .filter(({ language }) => language === "" || language === "sh")
    .flatMap(({ code }) => code.split("\n"))
    .filter((line) => /^(?:npm|npx|curl|export|kill|sysctl|systemctl|pm2) /.test(line))
    .map((line) => line.replace(/ +#.*$/, ""));
}

/** The arguments of each use of a command on a page, in a block or in the text. */
export function argumentsOf(page: string, command: string): string[][] {
  const inText = [...textOf(page).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  return [...commandLinesOf(page), ...inText]
    .filter((line) => line.startsWith(`${command} `))
    .map((line) => wordsOf(line.slice(command.length + 1)));
}
