import assert from "node:assert/strict";
import type { Server as HttpServer } from "node:http";
import { Server } from "@tidewire/engine";
import { owning } from "../support/waiting/closing.ts";
import { warningsOf } from "../support/process/warnings.ts";
import { needUws } from "../support/uws/absent.ts";

describe("engine: settings of an http.Server on uWebSockets.js", () => {
  it("do not change uWebSockets.js, and warn once when one is assigned", async () => {
    needUws();
    const engines = [new Server({ host: "uws" }), new Server({ host: "uws" })];
    await using _engines = owning({}, ...engines.map(ending));
    const warnings = await warningsOf("TIDEWIRE_FIXED_SETTING", () => {
      for (const engine of engines) {
        const httpServer = engine.listen(0) as unknown as HttpServer;
        httpServer.keepAliveTimeout = 65_000;
        httpServer.headersTimeout = 66_000;
        httpServer.requestTimeout = 0;
        assert.equal(httpServer.setTimeout(1000), httpServer);
        assert.deepEqual(
          [httpServer.keepAliveTimeout, httpServer.headersTimeout, httpServer.requestTimeout],
          [10_000, 10_000, 10_000],
        );
      }
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^httpServer\.keepAliveTimeout has no effect on uWebSockets\.js/);
  });
});

/** Closes an engine that listens by itself. */
function ending(engine: Server): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      engine.close();
      await new Promise((closed) => engine.httpServer!.close(closed));
    },
  };
}
