import type { Check } from "../check.ts";
import { note, ok, wrong } from "../finding.ts";
import type { Finding } from "../finding.ts";
import { HTTP_1_1, UNCACHED } from "../fixes.ts";
import { refusalIn, summary } from "../requests.ts";
import type { Answer } from "../requests.ts";
import { PollingSession } from "../target.ts";

/** Two handshakes: they must succeed, and not be the same one. */
export const polling: Check = {
  name: "polling",
  needs: ["path"],
  async run(target) {
    const first = await PollingSession.open(target);
    if (!(first instanceof PollingSession)) return explain(first);
    const second = await PollingSession.open(target);
    await first.end();
    if (!(second instanceof PollingSession)) return explain(second);
    await second.end();
    target.handshake = first.handshake;
    const { sid, pingInterval, pingTimeout } = first.handshake;
    if (second.handshake.sid === sid)
      return wrong(
        "two handshakes got the same session",
        "A cache answers in place of the server.",
        UNCACHED,
      );
    return ok(`handshake; pingInterval ${pingInterval} ms, pingTimeout ${pingTimeout} ms`);
  },
};

function explain(answer: Answer): Finding {
  const found = summary(answer);
  const refusal = refusalIn(answer);
  if (refusal?.code === 0)
    return note(found, 'The server does not offer long-polling: clients need transports: ["websocket"].', [
      { where: "application", lines: ['new Server({ transports: ["polling", "websocket"] })'] },
    ]);
  if (answer.status === 403 || refusal?.code === 4)
    return wrong(
      found,
      "The application refuses the handshake (allowRequest). Give what it asks for with --header.",
    );
  if (answer.status === 505) return wrong(found, "A proxy speaks HTTP/1.0 to uWebSockets.js.", HTTP_1_1);
  return wrong(found, "The server refuses the handshake.");
}
