// The programs of the guide pages, as they stand there: those that listen on a port of their own on both hosts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { runAll } from "../support/process/programs.ts";
import type { Ran } from "../support/process/programs.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis-server.ts";
import { whyNoUws } from "../support/uws/absent.ts";
import { scriptsOf } from "./support/blocks.ts";
import { isFor, prepared, programs } from "./support/prepared.ts";
import type { GuideProgram, Host } from "./support/prepared.ts";

const root = new URL("../../", import.meta.url);
const hosts: readonly Host[] = whyNoUws === undefined ? ["uws", "node"] : ["node"];
const canRun = ({ expected }: GuideProgram): boolean =>
  expected.needsRedis !== true || whyNoRedis === undefined;

interface Lane {
  readonly host: Host;
  readonly programs: readonly GuideProgram[];
}

/** What runs at the same time, each in a process: the programs of each host, and each that is slow. */
const lanes: readonly Lane[] = [
  ...hosts.map((host) => ({
    host,
    programs: programs.filter((each) => isFor[host](each) && canRun(each) && each.expected.isSlow !== true),
  })),
  ...programs
    .filter(({ expected }) => expected.isSlow)
    .map((slow) => ({ host: hosts[0]!, programs: [slow] })),
];

/** What stands for a word that differs from run to run. */
function wordsFor(host: Host): Readonly<Record<string, string>> {
  const { version } = JSON.parse(readFileSync(new URL("packages/server/package.json", root), "utf8")) as {
    version: string;
  };
  return {
    HOST: host === "uws" ? "uWebSockets.js" : "node:http",
    VERSION: version,
    NODE: `${process.version}, ${process.platform} ${process.arch}`,
  };
}

describe("the programs of the guides", function () {
  this.timeout(300_000);

  const ran = new Map<Lane, Promise<Ran[]>>();
  let redis: RedisServer | undefined;

  before(async () => {
    if (whyNoRedis === undefined) redis = await RedisServer.start();
    const env = {
      TIDEWIRE_SECRET: "a secret of sixteen characters",
      INSPECTOR_PASSWORD: "a long one",
      REDIS_URL: redis?.url,
      NODE_ENV: "test",
      // Programs cause some on purpose.
      NODE_NO_WARNINGS: "1",
    };
    for (const lane of lanes) {
      const ready = await Promise.all(lane.programs.map((program) => prepared(program, lane.host)));
      ran.set(lane, runAll(ready, env));
    }
    await Promise.all(ran.values());
  });

  after(() => redis?.kill());

  for (const lane of lanes)
    for (const [index, { page, expected }] of lane.programs.entries()) {
      it(`docs/${page}.md: ${expected.title} [${lane.host}]`, async () => {
        const { lines, error } = (await ran.get(lane)!)[index]!;
        assert.equal(error, undefined);
        const words = wordsFor(lane.host);
        assert.deepEqual(
          lines,
          expected.lines.map((line) => line.replaceAll(/\b[A-Z]+\b/g, (word) => words[word] ?? word)),
        );
      });
    }

  for (const { page, expected } of programs.filter((program) => !canRun(program)))
    it(`docs/${page}.md: ${expected.title} [${whyNoRedis}]`);

  it("in TypeScript are those that the compiler checks", () => {
    const checked = ["types", "contract"].map((name) =>
      readFileSync(new URL(`programs/${name}.ts`, import.meta.url), "utf8").replace(
        /^\/\/ oxlint-disable.*\n/,
        "",
      ),
    );
    assert.deepEqual(
      scriptsOf("typescript").map(({ code }) => code),
      checked,
    );
  });
});
