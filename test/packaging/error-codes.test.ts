import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Engine, MemoryHost } from "@tidewire/engine";
import { testServer } from "@tidewire/testing";
import { engineMessages } from "../../packages/engine/src/errors.ts";
import { memoryMessages } from "../../packages/engine/src/host/memory/errors.ts";
import { encodeErrors } from "../../packages/parser/src/errors.ts";
import { serverMessages } from "../../packages/server/src/errors.ts";
import { testMessages } from "../../packages/testing/src/errors.ts";

const root = new URL("../../", import.meta.url);

/** Files with errors that applications get as the cause of another one, or not at all. */
const inner: ReadonlySet<string> = new Set([
  "packages/cluster-nats/src/nats-discovery.ts",
  "packages/cluster-redis/src/redis-journal.ts",
  "packages/cluster/src/deadline.ts",
  "packages/cluster/src/discovery/leased-discovery.ts",
  "packages/cluster/src/members.ts",
  "packages/engine/src/host/uws/continued-response.ts",
  "packages/engine/src/host/uws/cork-holder.ts",
]);

describe("the codes of errors of calls", () => {
  it("are all in the docs", () => {
    const page = readFileSync(new URL("docs/limits-and-errors.md", root), "utf8");
    const [, section = ""] = page.split("### Errors of calls\n");
    const [table = ""] = section.split("\n### ");
    const documented = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, codes]) =>
      [...codes!.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code!),
    );
    const codes = [serverMessages, engineMessages, memoryMessages, encodeErrors, testMessages].flatMap(
      Object.keys,
    );
    assert.deepEqual(documented.toSorted(), codes.toSorted());
  });

  it("are those of a host in memory", async () => {
    const host = new MemoryHost();
    const url = "/engine.io/?EIO=4&transport=polling";
    assert.throws(() => host.request({ url }), { code: "NO_ENGINE" });
    assert.throws(() => host.connect({ url }), { code: "NO_ENGINE" });
    const engine = new Engine({ allowRequest: () => {} }).attachHost(host);
    const call = host.request({ url });
    call.abort();
    await assert.rejects(call.response, { code: "REQUEST_ABORTED" });
    await assert.rejects(host.connect({ url }), { code: "UPGRADE_REFUSED" });
    engine.use((request) => request.destroy());
    await assert.rejects(host.request({ url }).response, { code: "REQUEST_DROPPED" });
  });

  it("are those of a server for tests", async () => {
    await using server = await testServer(() => {});
    assert.throws(() => server.clock, { code: "REAL_CLOCK" });
    const client = await server.connect("/", { transports: ["polling"] });
    await assert.rejects(server.cut(client), { code: "NO_WEBSOCKET" });
  });

  it("are never left out", () => {
    // What the command throws, it prints.
    const files = readdirSync(new URL("packages", root))
      .filter((name) => name !== "cli")
      .flatMap((name) =>
        readdirSync(new URL(`packages/${name}/src`, root), { recursive: true, encoding: "utf8" })
          .filter((file) => file.endsWith(".ts"))
          .map((file) => `packages/${name}/src/${file}`),
      )
      .filter((file) => !inner.has(file));
    assert.ok(files.length > 300);
    const bare = /^(?! *\*).*(?:throw|reject\(|callback\() ?new (?:Type|Range)?Error\(/m;
    assert.deepEqual(
      files.filter((file) => bare.test(readFileSync(new URL(file, root), "utf8"))),
      [],
    );
  });
});
