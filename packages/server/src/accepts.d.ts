/** The part of the package `accepts` that is used here; it comes without types. */
declare module "accepts" {
  import type { IncomingMessage } from "node:http";

  function accepts(req: IncomingMessage): {
    /** The best of the offered content codings for the client, or false. */
    encodings(offered: readonly string[]): string | false;
  };
  export = accepts;
}
