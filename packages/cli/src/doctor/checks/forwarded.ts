import type { Check } from "../check.ts";
import { note, ok } from "../finding.ts";
import { FORWARDED } from "../fixes.ts";

/** Nobody outside sees what the server is told about the address, only whether there is somebody who has to tell it. */
export const forwarded: Check = {
  name: "X-Forwarded-For",
  needs: ["path"],
  run({ proxy }) {
    if (proxy === undefined) return Promise.resolve(ok("no proxy names itself"));
    return Promise.resolve(
      note(
        `behind ${proxy}`,
        'Only the server sees it. Look at socket.handshake.headers["x-forwarded-for"]; without the header, all clients have the address of the proxy.',
        FORWARDED,
      ),
    );
  },
};
