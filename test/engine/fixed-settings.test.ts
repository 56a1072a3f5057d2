import assert from "node:assert/strict";
import type { Server as HttpServer } from "node:http";
import { Server } from "@tidewire/engine";
import { needUws } from "../support/uws/absent.ts";

describe("engine: settings of an http.Server on uWebSockets.js", () => {
  it("do not change uWebSockets.js, and warn once when one is assigned", async () => {
    needUws();
    const warnings: NodeJS.ErrnoException[] = [];
    const hear = (warning: NodeJS.ErrnoException): void => {
      if (warning.code === "TIDEWIRE_FIXED_SETTING") warnings.push(warning);
    };
    process.on("warning", hear);
    const engines = [new Server({ host: "uws" }), new Server({ host: "uws" })];
    try {
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
      // Warnings come on the next tick.
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!.message, /^httpServer\.keepAliveTimeout has no effect on uWebSockets\.js/);
    } finally {
      process.off("warning", hear);
      for (const engine of engines) {
        engine.close();
        await new Promise((closed) => engine.httpServer!.close(closed));
      }
    }
  });
});
