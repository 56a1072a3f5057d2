import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { renderPage, staleness, updatePage } from "../report/page.ts";
import { count, type Counts } from "../report/results.ts";
import { tabulate } from "../report/table.ts";
import { renderTerminal } from "../report/terminal.ts";
import { filesOf, sections } from "../sections.ts";
import { readArguments, USAGE, type Arguments } from "./arguments.ts";
import { endSections, runSection, type SectionReport } from "./section-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = fileURLToPath(new URL("../../docs/compatibility.md", import.meta.url));

/** Whether the official server replaces ours. */
const isOracle = process.env["ORACLE"] !== undefined;

/** How long a section may take, in milliseconds. */
const LIMIT = { quick: 10 * 60_000, full: 30 * 60_000 };

/** Whether servers of node:http in one process can listen on one port. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const sharesPorts = major > 22 || (major === 22 && minor >= 12);

/** How long its processes may take to end, in milliseconds. */
const GRACE = 10_000;

/** Runs the sections that the arguments choose, and prints the results. Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let asked: Arguments;
  try {
    asked = readArguments(args);
  } catch (error) {
    say(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  process.chdir(root);
  endWithSections();
  if (asked.setsUp && !asked.onlyChecks) setUp();
  if (asked.workers !== undefined) putWorkers(asked.workers);
  // the table is about Tidewire alone, not about the official server or a cluster
  const isAboutPage = asked.grep === undefined && !isOracle && asked.workers === undefined;
  const isWhole = isAboutPage && asked.isWhole;
  const reports = asked.onlyChecks ? [] : await runSections(asked);
  if (isWhole && !(asked.isFull && reports.length > 0)) reports.push(await checkPage());
  const outcomes = reports.flatMap((report) => report.outcomes);
  if (outcomes.length > 0) say(renderTerminal(tabulate(outcomes)));
  if (isAboutPage && asked.isFull && !asked.onlyChecks) writePage(reports, isWhole);
  return tell(reports);
}

/** Puts workers behind this front in place of each server. */
function putWorkers(front: string): void {
  process.env["COMPAT_WORKERS"] = front;
  if (front !== "port" || sharesPorts) return;
  process.env["HOSTS"] = "uws";
  say("node:http is left out: its servers cannot share a port before Node 22.12");
}

/** Ends the sections when a signal ends this process. */
function endWithSections(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      endSections();
      process.kill(process.pid, signal);
    });
  }
}

/** Installs and builds what the tests need. If a part is not available, its tests are pending and say why. */
function setUp(): void {
  spawnSync(process.execPath, ["scripts/setup.mjs"], { stdio: "inherit" });
  const building = ["run", "build", "--silent", "--", "--output-logs=errors-only"];
  const { status, error } = spawnSync("npm", building, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error("the packages could not be built");
}

async function runSections({ chosen, isFull, jobs, grep }: Arguments): Promise<SectionReport[]> {
  const reports = new Map<string, SectionReport>();
  const waiting = [...chosen];
  const work = async (): Promise<void> => {
    for (let section = waiting.shift(); section !== undefined; section = waiting.shift()) {
      say(`${section.name}: ${section.about} …`);
      const report = await runSection({
        name: section.name,
        files: [filesOf(section)],
        hasOfficial: section.hasOfficial === true || isOracle,
        isFull,
        options: grep === undefined ? [] : ["--grep", grep],
        limit: isFull ? LIMIT.full : LIMIT.quick,
        grace: GRACE,
      });
      reports.set(section.name, report);
      sayHow(report);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return chosen.flatMap(({ name }) => reports.get(name) ?? []);
}

/** Checks whether the page has the declared rows; reports it as one test. */
async function checkPage(): Promise<SectionReport> {
  const name = "docs/compatibility.md";
  const dry = await runSection({
    name,
    files: sections.map(filesOf),
    isFull: true,
    options: ["--dry-run"],
    limit: LIMIT.quick,
    grace: GRACE,
  });
  const written = existsSync(page) ? readFileSync(page, "utf8") : "";
  const problems = [...dry.problems, ...staleness(written, tabulate(dry.outcomes))];
  const state = problems.length === 0 ? "passed" : "failed";
  const output =
    problems.length === 0
      ? ""
      : `${problems.join("\n")}\nRun npm run compat, which writes the page.\n${dry.output}`;
  const report = {
    ...dry,
    problems: [],
    outcomes: [{ title: "has the declared rows", state }],
    output,
  };
  sayHow(report as SectionReport);
  return report as SectionReport;
}

/** Writes the page, or the tables of some sections. */
function writePage(reports: readonly SectionReport[], isWhole: boolean): void {
  const outcomes = reports.flatMap((report) => report.outcomes);
  const lacking = outcomes.filter(({ state }) => state === "skipped").length;
  if (lacking > 0 || reports.some(({ problems }) => problems.length > 0)) {
    say(`docs/compatibility.md is left as it was: not every test could run.\n`);
    return;
  }
  const table = tabulate(outcomes);
  writeFileSync(page, isWhole ? renderPage(table) : updatePage(readFileSync(page, "utf8"), table));
  say("docs/compatibility.md is written.\n");
}

/** Prints the result of a section. */
function sayHow(report: SectionReport): void {
  const { name, problems, output, milliseconds } = report;
  const seconds = Math.round(milliseconds / 1_000);
  say(`${name}: ${inWords(count([report]))} in ${seconds} s`);
  for (const problem of problems) say(`${name}: ${problem}`);
  if (count([report]).failed > 0) say(output);
}

/** Prints the counts, or writes them to COUNTS_FILE together with what failed, and returns the exit code. */
function tell(reports: readonly SectionReport[]): number {
  const counts = count(reports);
  const file = process.env["COUNTS_FILE"];
  if (file === undefined) say(inWords(counts));
  else writeFileSync(file, JSON.stringify({ ...counts, failures: reports.flatMap(failuresOf) }));
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

/** What failed in a section, a line each; why stands where the section said how it ended. */
function failuresOf({ name, problems, outcomes }: SectionReport): string[] {
  const failed = outcomes.filter(({ state }) => state === "failed").map(({ title }) => title);
  return [...problems, ...failed].map((what) => `${name}: ${what}`);
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
