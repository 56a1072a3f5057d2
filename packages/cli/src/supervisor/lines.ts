import type { Readable } from "node:stream";

/** Copies a stream line by line, and begins each line with the prefix. Waits with the source while the target is full. */
export function copyLines(source: Readable, target: NodeJS.WritableStream, prefix: string): void {
  let begun = "";
  const write = (text: string): void => {
    if (target.write(text)) return;
    source.pause();
    target.once("drain", () => source.resume());
  };
  source.setEncoding("utf8");
  source.on("data", (chunk: string) => {
    const lines = (begun + chunk).split("\n");
    begun = lines.pop() ?? "";
    if (lines.length > 0) write(lines.map((line) => `${prefix}${line}\n`).join(""));
  });
  source.on("end", () => {
    if (begun !== "") write(`${prefix}${begun}\n`);
  });
}
