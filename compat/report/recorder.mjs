// A mocha reporter that writes a record of the run (record.ts) for the table, and prints only failures. Mocha loads reporters
// with require(), which cannot load TypeScript.
import { appendFileSync } from "node:fs";
import Mocha from "mocha";

const { constants } = Mocha.Runner;

export default class extends Mocha.reporters.Base {
  #numbers = new Map();

  constructor(runner, options) {
    super(runner, options);
    runner.once(constants.EVENT_RUN_BEGIN, () => this.#onBegin(runner));
    runner.on(constants.EVENT_TEST_BEGIN, (test) => write({ begun: this.#numbers.get(test) }));
    runner.on(constants.EVENT_TEST_PASS, (test) => this.#onEnded(test, "passed"));
    runner.on(constants.EVENT_TEST_PENDING, (test) =>
      this.#onEnded(test, reasonIn(test.title) === undefined ? "skipped" : "unsupported"),
    );
    runner.on(constants.EVENT_TEST_FAIL, (runnable) => {
      if (this.#numbers.has(runnable)) this.#onEnded(runnable, "failed");
      else write({ hook: runnable.fullTitle() });
    });
    runner.once(constants.EVENT_RUN_END, () => this.#onFinished());
  }

  #onBegin(runner) {
    const tests = [...testsIn(runner.suite)].filter((test) => runner._grep.test(test.fullTitle()));
    for (const [number, test] of tests.entries()) this.#numbers.set(test, number);
    write({ declared: tests.map(describeTest) });
  }

  #onEnded(test, state) {
    write({ ended: this.#numbers.get(test), state });
  }

  #onFinished() {
    write({ finished: true });
    if (this.stats.failures > 0) this.epilogue();
    const overdue = setTimeout(() => {
      const leftOpen = process.getActiveResourcesInfo();
      if (!leftOpen.every(isForgiven)) write({ leftOpen });
      process.exit(1);
    }, Number(process.env.COMPAT_GRACE));
    // it must not keep the process alive itself
    overdue.unref();
  }
}

/** Resources that may stay open: the pipes of this process, and timers of closed official servers and clients. */
function isForgiven(name) {
  return name === "PipeWrap" || (name === "Timeout" && process.env.COMPAT_OFFICIAL === "yes");
}

function write(line) {
  appendFileSync(process.env.COMPAT_RECORD, `${JSON.stringify(line)}\n`);
}

function* testsIn(suite) {
  yield* suite.tests;
  for (const child of suite.suites) yield* testsIn(child);
}

function describeTest(test) {
  const reason = test.isPending() ? reasonIn(test.title) : undefined;
  const titles = [test.title.replace(REASON, "")];
  let suite = test.parent;
  while (suite && !suite.compatCell) {
    if (suite.title) titles.unshift(suite.title);
    suite = suite.parent;
  }
  return { title: titles.join(" › "), cell: suite?.compatCell, reason };
}

const REASON = / \[not supported: (.*)\]$/s;

function reasonIn(title) {
  return REASON.exec(title)?.[1];
}
