import type { Check } from "../check.ts";
import { note, ok, wrong } from "../finding.ts";
import type { Fix } from "../finding.ts";

const CROSS_SITE: readonly Fix[] = [
  {
    where: "application",
    lines: ['new Server({ cookie: { name: "io", sameSite: "none", secure: true } })'],
  },
  { where: "HAProxy", lines: ['cookie SERVERID insert indirect nocache secure attr "SameSite=None"'] },
];

/** The cookies of the handshake, with a look at what browsers refuse. */
export const cookies: Check = {
  name: "cookies",
  needs: ["path"],
  run({ cookieLines, options: { url, origin } }) {
    if (cookieLines.length === 0) return Promise.resolve(ok("none"));
    const found = cookieLines.map((line) => line.replace(/=[^;]*/, "")).join(", ");
    const isCrossSite = origin !== undefined && siteOf(new URL(origin)) !== siteOf(url);
    for (const line of cookieLines) {
      const isNone = /;\s*samesite=none/i.test(line);
      const isSecure = /;\s*secure/i.test(line);
      if (isNone && !isSecure)
        return Promise.resolve(
          wrong(found, "Browsers drop a cookie with SameSite=None and without Secure.", CROSS_SITE),
        );
      if (isCrossSite && !isNone)
        return Promise.resolve(
          note(found, `Browsers do not send this cookie from pages of ${origin}.`, CROSS_SITE),
        );
    }
    return Promise.resolve(ok(found));
  },
};

/** The last two labels; a list of public suffixes would be more exact. */
function siteOf({ hostname }: URL): string {
  return hostname.split(".").slice(-2).join(".");
}
