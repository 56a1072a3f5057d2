import type { Check } from "../check.ts";
import { note, ok, wrong } from "../finding.ts";
import { largerBodies } from "../fixes.ts";
import { refusalIn, summary } from "../requests.ts";
import { PollingSession } from "../target.ts";

const MEGABYTE = 1_000_000;
/** More is not sent, whatever the server allows. */
const LARGEST = 4 * MEGABYTE;

/** A POST that is as large as the server allows, of a packet that it ignores. */
export const post: Check = {
  name: "large POST",
  needs: ["sticky sessions"],
  async run(target) {
    const session = await PollingSession.open(target);
    if (!(session instanceof PollingSession))
      return wrong(summary(session), "The server refuses a second handshake.");
    const { maxPayload = MEGABYTE } = session.handshake;
    const size = Math.min(maxPayload, LARGEST);
    const answer = await session.post("6".padEnd(size, "x"));
    await session.end();
    const found = `${size} bytes: ${summary(answer)}`;
    if (answer.status === 200) return ok(`${size} bytes`);
    if (answer.status === 413)
      return wrong(
        found,
        "A proxy allows less than the server, whose maxHttpBufferSize is more.",
        largerBodies(maxPayload),
      );
    if (refusalIn(answer) !== undefined) return note(found, "The server refuses what it says it would take.");
    return wrong(found, "A proxy does not pass large messages on.", largerBodies(maxPayload));
  },
};
