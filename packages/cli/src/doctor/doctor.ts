import type { DoctorOptions } from "../commands/doctor-options.ts";
import { ExitCode } from "../exit-code.ts";
import { Progress } from "../output/progress.ts";
import { styleFor } from "../output/style.ts";
import type { Terminal } from "../terminal.ts";
import { ALL_CHECKS } from "./checks/all.ts";
import { examine } from "./examination.ts";
import type { Observer } from "./examination.ts";
import { Report } from "./report.ts";
import { Target } from "./target.ts";

const FRAME = 200;

/** @returns the exit code: DONE if nothing is wrong */
export async function runDoctor(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const target = new Target(options);
  const progress = new Progress(terminal.err);
  const report = new Report(
    styleFor(terminal.out),
    ALL_CHECKS.map(({ name }) => name),
  );
  let draw: () => void = () => {};
  const observer: Observer = {
    started(running, done) {
      const begin = Date.now();
      const label = running.join(", ");
      draw = () => progress.show(done, `${label} ${waited(begin, target)}`);
      draw();
    },
    finished(result) {
      if (options.json) return;
      progress.clear();
      for (const line of report.lines(result, target.proxy)) terminal.out.write(`${line}\n`);
    },
  };
  const frames = setInterval(() => draw(), FRAME);
  const results = await examine(target, ALL_CHECKS, observer).finally(() => {
    clearInterval(frames);
    progress.clear();
  });
  const isWell = results.every(({ status }) => status !== "wrong");
  if (options.json)
    terminal.out.write(
      `${JSON.stringify({ url: options.url.href, path: options.path, ok: isWell, checks: results }, undefined, 2)}\n`,
    );
  else terminal.out.write(`\n${report.summary(results)}\n`);
  return isWell ? ExitCode.DONE : ExitCode.FAILED;
}

/** For how long the checks run that run now, and how long they may, once they wait. */
function waited(begin: number, { handshake, options: { hold } }: Target): string {
  const seconds = Math.round((Date.now() - begin) / 1000);
  if (seconds < 2) return "";
  return handshake === undefined
    ? `${seconds} s`
    : `${seconds} of ${Math.ceil(Math.min(handshake.pingInterval, hold) / 1000)} s`;
}
