import type { Check } from "../check.ts";
import { ok, wrong } from "../finding.ts";
import { summary } from "../requests.ts";
import { handshakeIn } from "../target.ts";

const UNSUPPORTED = /Unsupported protocol version/;
/** Protocol 3 writes the length of a packet before it. */
const LENGTH = /^\d+:/;

export const protocols: Check = {
  name: "protocols",
  needs: ["path"],
  async run(target) {
    const query = { transport: "polling" };
    const [four, three] = [
      await target.request({ ...query, EIO: "4" }),
      await target.request({ ...query, EIO: "3" }),
    ];
    const opened = handshakeIn(four.body);
    if (opened !== undefined) await leave({ EIO: "4", sid: opened.sid }, "1");
    const old = handshakeIn(three.body.replace(LENGTH, "").replace(/\}\d+:40$/, "}"));
    if (old !== undefined) await leave({ EIO: "3", sid: old.sid }, "1:1");
    if (UNSUPPORTED.test(four.body))
      return wrong(
        summary(four),
        "The server does not know protocol 4, so it is older than version 3. Clients of version 4 cannot connect.",
        [{ where: "application", lines: ["npm install @tidewire/server"] }],
      );
    if (three.status === 200) return ok("4, and 3 for clients of version 2");
    if (UNSUPPORTED.test(three.body)) return ok("4; clients of version 2 are refused (allowEIO3: false)");
    return ok("4");

    async function leave(session: Readonly<Record<string, string>>, packet: string): Promise<void> {
      await target
        .request(
          { ...query, ...session },
          { method: "POST", body: packet, headers: { "content-type": "text/plain;charset=UTF-8" } },
        )
        .catch(() => undefined);
    }
  },
};
