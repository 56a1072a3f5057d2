import type { Check } from "../check.ts";
import { ok, wrong } from "../finding.ts";
import { PATH } from "../fixes.ts";
import { refusalIn, summary } from "../requests.ts";

/** A request without parameters: the engine answers that it does not know the transport. */
export const path: Check = {
  name: "path",
  needs: ["reachable"],
  async run(target) {
    const answer = await target.request({});
    const { path: at } = target.options;
    if (refusalIn(answer) !== undefined) return ok(`Socket.IO answers at ${at}`);
    const found = `${at}: ${summary(answer)}`;
    const { status, headers } = answer;
    if (status === 401 || status === 403)
      return wrong(
        found,
        'Something in front of the server asks for credentials. Give them with --header "Authorization: …".',
      );
    if (status === 200 && String(headers["content-type"]).includes("html"))
      return wrong(
        found,
        "A page answers here, and not Socket.IO: the proxy sends the path to something else.",
        PATH,
      );
    return wrong(
      found,
      "No Socket.IO server answers here. The proxy sends the path elsewhere or changes it, or the server has another path (--path).",
      PATH,
    );
  },
};
