// Declares the tests of a published package, in one cell for each host, and starts what they use.
import { cell } from "../../support/cell.ts";
import { closeClients } from "../../support/connect.ts";
import { isOracle } from "../../support/installation.ts";
import { application, versionOf } from "./application.ts";
import { runProgram, type HostName, type Listening, type Program } from "./program.ts";

export { closeClients, connect } from "../../support/connect.ts";

/** The official server runs on node:http only. */
export const hosts: readonly HostName[] = isOracle ? ["node"] : ["uws", "node"];

/** How long an installation may take, in milliseconds. */
const INSTALLATION = 300_000;

/** Declares the tests of a published package for each host; their clients close after each test. */
export function published(part: string, body: (host: HostName) => void): void {
  for (const host of hosts) {
    cell({ group: "Published packages", part, version: versionOf(part), host, transport: "any" }, () => {
      before("install the application", async function () {
        this.timeout(INSTALLATION);
        await application();
      });
      afterEach(closeClients);
      body(host);
    });
  }
}

/** Starts a program before the tests of the suite, and stops it after them; the returned function returns it. */
export function program(
  name: string,
  host: HostName,
  given: () => object | Promise<object> = () => ({}),
): () => Started {
  let started: Started | undefined;
  let process: Program | undefined;
  before(`start ${name}`, async () => {
    process = await runProgram(name, host, await given());
    const [listening] = await process.listening(1);
    started = { ...(listening as Listening), process };
  });
  after(`stop ${name}`, () => process?.stop());
  return () => started as Started;
}

export interface Started extends Listening {
  readonly process: Program;
}
