import type { Check } from "../check.ts";
import { note, ok, skipped, wrong } from "../finding.ts";
import type { Finding } from "../finding.ts";
import { allowOrigin, UNTOUCHED_CORS } from "../fixes.ts";
import type { Answer } from "../requests.ts";
import { summary } from "../requests.ts";
import { PollingSession } from "../target.ts";

/** What a browser asks for on a page of another origin: permission for requests, with cookies, and for their headers. */
export const cors: Check = {
  name: "CORS",
  needs: ["path"],
  async run(target) {
    const { origin, url } = target.options;
    if (origin === undefined)
      return skipped("give --origin, the origin of your pages, such as https://example.com");
    if (origin === url.origin) return ok("not needed: the same origin");
    const query = { EIO: "4", transport: "polling" };
    const answer = await target.request(query, { headers: { origin } });
    await PollingSession.of(target, answer)?.end();
    const plain = judge(answer, origin);
    if (plain.status === "wrong") return plain;
    const preflight = await target.request(query, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
    if (preflight.status < 200 || preflight.status > 299)
      return wrong(
        `OPTIONS: ${summary(preflight)}`,
        "The request with which a browser asks for permission is refused, here or by a proxy.",
        allowOrigin(origin),
      );
    const asked = judge(preflight, origin);
    return asked.status === "wrong" ? { ...asked, found: `OPTIONS: ${asked.found}` } : plain;
  },
};

function judge({ headers }: Answer, origin: string): Finding {
  const allowed = headers["access-control-allow-origin"];
  if (allowed === undefined)
    return wrong(
      "no Access-Control-Allow-Origin",
      `Browsers refuse the answers to pages of ${origin}.`,
      allowOrigin(origin),
    );
  if (allowed.includes(","))
    return wrong(
      `Access-Control-Allow-Origin: ${allowed}`,
      "Both the server and a proxy send the header. Browsers accept one.",
      UNTOUCHED_CORS,
    );
  if (allowed !== "*" && allowed !== origin)
    return wrong(`Access-Control-Allow-Origin: ${allowed}`, `That is not ${origin}.`, allowOrigin(origin));
  const withCookies = headers["access-control-allow-credentials"] === "true";
  if (allowed === "*" && withCookies)
    return note(
      "any origin",
      "Browsers accept it without cookies only: a client with withCredentials fails.",
      allowOrigin(origin),
    );
  if (!withCookies)
    return note(
      `${allowed === "*" ? "any origin" : allowed}, without cookies`,
      "A client with withCredentials fails.",
      allowOrigin(origin),
    );
  return ok(`${allowed}, with cookies`);
}
