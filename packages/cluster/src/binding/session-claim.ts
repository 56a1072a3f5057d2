import type { internals } from "@tidewire/engine";
import { readHead, withCookies } from "../forwarding/head.ts";
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
  readonly #cookies: string | undefined;
  readonly #stream: LinkStream;
  #done: ((isHere: boolean) => void) | undefined;
  #adopted: internals.AdoptedSession | undefined = undefined;

  /**
   * @param cookies - those of the request that has shown up: the answer to the handshake has set some of them
   * @param done - called once: whether the session is open here now
   */
  constructor(
    link: Link,
    sid: string,
    target: internals.ClusterTarget,
    cookies: string | undefined,
    done: (isHere: boolean) => void,
  ) {
    this.#sid = sid;
    this.#target = target;
    this.#cookies = cookies;
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
    // Otherwise middlewares would take the client for a new visitor, and set cookies that it never gets.
    const handshake = withCookies(readHead(new PayloadReader(payload)), this.#cookies);
    this.#target.adopt(this.#sid, handshake, (adopted) => {
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
