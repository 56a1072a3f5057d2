import type { internals } from "@tidewire/engine";
import { readHead } from "../forwarding/head.ts";
import { Kind } from "../link/kinds.ts";
import type { Link, LinkStream, StreamHandlers } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";

/**
 * Asks another node for a session that it may hold, at the node where the session's WebSocket has shown up.
 *
 * The session moves in two steps: once its handshake was replayed here (`MOVED`, `IMPORTED`), its first node lets it go (`CONFIRM`).
 * Until then that node binds it if anything goes wrong; from then on it is here.
 */
export class SessionClaim implements StreamHandlers {
  readonly #sid: string;
  readonly #target: internals.ClusterTarget;
  readonly #stream: LinkStream;
  #done: ((isHere: boolean) => void) | undefined;
  #adopted: internals.AdoptedSession | undefined = undefined;

  /** @param done - called once: whether the session is open here now */
  constructor(link: Link, sid: string, target: internals.ClusterTarget, done: (isHere: boolean) => void) {
    this.#sid = sid;
    this.#target = target;
    this.#done = done;
    this.#stream = link.open(Kind.CLAIM, [sid], this);
  }

  /** The WebSocket has gone. A session that may be on its way is awaited. */
  cancel(): void {
    if (this.#adopted !== undefined) return;
    this.#stream.end();
    this.#finish(false);
  }

  onMessage(kind: number, payload: Buffer): void {
    if (kind === Kind.MOVED) this.#adopt(payload);
    else if (kind === Kind.CONFIRM) this.#open();
  }

  #adopt(payload: Buffer): void {
    this.#target.adopt(this.#sid, readHead(new PayloadReader(payload)), (adopted) => {
      if (this.#done === undefined) return;
      if (adopted === undefined) {
        this.cancel();
      } else {
        this.#adopted = adopted;
        this.#stream.send(Kind.IMPORTED, []);
      }
    });
  }

  #open(): void {
    const adopted = this.#adopted;
    if (adopted === undefined) return;
    this.#stream.end();
    adopted.open();
    this.#finish(true);
  }

  onEnd(): void {
    this.#finish(false);
  }

  #finish(isHere: boolean): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(isHere);
  }
}
