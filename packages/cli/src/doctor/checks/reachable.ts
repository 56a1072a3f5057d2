import type { Check } from "../check.ts";
import { ok, wrong } from "../finding.ts";
import { HTTP_1_1, PATH } from "../fixes.ts";
import { NoAnswer } from "../requests.ts";

export const reachable: Check = {
  name: "reachable",
  needs: [],
  async run(target) {
    const begin = performance.now();
    let answer;
    try {
      answer = await target.request({});
    } catch (error) {
      if (!(error instanceof NoAnswer) || !error.isLate) throw error;
      return wrong(
        error.message,
        "A connection is accepted, but nobody answers at this path. The server has another one (--path), or hangs.",
        PATH,
      );
    }
    const took = Math.round(performance.now() - begin);
    target.learn(answer);
    const { status, headers, httpVersion } = answer;
    const found = [`HTTP/${httpVersion}`, headers.server, headers.via, `${took} ms`]
      .filter(Boolean)
      .join(", ");
    if (status >= 300 && status < 400 && headers.location !== undefined)
      return wrong(
        `${status} to ${headers.location}`,
        "Clients do not follow redirections. Give them the address it leads to.",
      );
    if (status === 505)
      return wrong(
        `${found}: 505`,
        "A proxy speaks HTTP/1.0 to uWebSockets.js, which answers 505 before the application sees the request.",
        HTTP_1_1,
      );
    if (status === 502 || status === 503 || status === 504)
      return wrong(
        `${found}: ${status}`,
        "The proxy reaches no server. Does the application run, on the port that the proxy expects?",
      );
    return ok(found);
  },
};
