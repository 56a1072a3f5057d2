// Where uWebSockets.js has no binary, as for the newest Node, each test that needs it is pending and its title says so.
import * as module from "node:module";
import Mocha from "mocha";
import { UwsLoadError } from "../../../packages/engine/src/host/uws/load.ts";
import { NoUwsError, whyNoUws } from "./absent.ts";

/** Since Node 22.15; those before have a binary. */
interface ModuleHooks {
  registerHooks(hooks: { resolve: Resolve }): void;
}
type Resolve = (
  specifier: string,
  context: { parentURL: string | undefined },
  next: (specifier: string, context: object) => unknown,
) => unknown;

const tests = new URL("../../", import.meta.url).href;

/** Replaces uWebSockets.js in test files by a module that throws; a test or hook that fails with that error is pending. */
export function leaveOutUws(): void {
  (module as unknown as ModuleHooks).registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "uWebSockets.js" && context.parentURL?.startsWith(tests)) {
        return { url: new URL("absent.ts", import.meta.url).href, format: "module", shortCircuit: true };
      }
      return next(specifier, context);
    },
  });
  const { prototype } = Mocha.Runnable;
  const run = Object.getOwnPropertyDescriptor(prototype, "run")?.value as typeof prototype.run;
  prototype.run = function (done) {
    run.call(this, (error?: unknown) => {
      if (!needsUws(error)) return done(error);
      this.title += ` [${whyNoUws}]`;
      this.pending = true;
      done();
    });
  };
}

function needsUws(error: unknown): boolean {
  return error instanceof NoUwsError || error instanceof UwsLoadError;
}
