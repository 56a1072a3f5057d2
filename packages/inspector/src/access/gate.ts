import { internals } from "@tidewire/engine";
import type { RequestSource, TrustProxy } from "@tidewire/engine";
import type { InspectorAuth } from "@tidewire/server";
import type { IncomingMessage } from "node:http";
import { Attempts } from "./attempts.ts";
import { Credentials } from "./credentials.ts";
import { isLocal } from "./local.ts";

/** An application without types may return anything. */
type AuthFunction = (request: IncomingMessage) => unknown;

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 500;
  readonly headers: Record<string, string>;
  readonly message: string;
}

const LOCAL_ONLY =
  "This inspector has no `auth`, so it can be opened on this machine only: as localhost, and not through a proxy.\n\n" +
  'To open it from elsewhere: io.inspect({ auth: { username: "…", password: "…" } })';

function refuse(status: Refusal["status"], message: string, headers: Record<string, string> = {}): Refusal {
  return { status, message, headers };
}

let hasWarned = false;

/** Warns the operator, once. */
function warnOfRefusal(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    "io.inspect() refused a request from elsewhere, because it has no auth: " +
      "without it, the page can be opened on this machine only, as localhost and not through a proxy.",
    { type: "TidewireWarning", code: "TIDEWIRE_INSPECTOR_LOCAL_ONLY" },
  );
}

/** Decides who may open the page. */
export class Gate {
  readonly #auth: AuthFunction | Credentials | undefined;
  readonly #attempts: Attempts = new Attempts();
  readonly #addressOf: (head: RequestSource["head"]) => string;

  constructor(auth: InspectorAuth | undefined, trustProxy: TrustProxy = false) {
    this.#auth = auth === undefined || typeof auth === "function" ? auth : new Credentials(auth);
    const addressOf = internals.addressReader(trustProxy);
    this.#addressOf = (head) => internals.clientPart(addressOf(head));
  }

  /** Decides about a request of the page. */
  async refusalOf(source: RequestSource): Promise<Refusal | undefined> {
    const { head } = source;
    if (this.#auth === undefined) {
      if (isLocal(head)) return undefined;
      warnOfRefusal();
      return refuse(403, LOCAL_ONLY);
    }
    if (!(this.#auth instanceof Credentials)) return this.#ask(this.#auth, source);
    const address = this.#addressOf(head);
    const wait = this.#attempts.waitOf(address);
    if (wait > 0) return refuse(429, "Too many failed attempts.", { "Retry-After": String(wait) });
    const { authorization } = head.headers;
    if (authorization !== undefined && this.#auth.match(authorization)) {
      this.#attempts.succeeded(address);
      return undefined;
    }
    // A browser asks for the page without them first.
    if (authorization !== undefined) this.#attempts.failed(address);
    const challenge = 'Basic realm="Tidewire inspector", charset="UTF-8"';
    return refuse(401, "Name and password, please.", { "WWW-Authenticate": challenge });
  }

  async #ask(auth: AuthFunction, { message }: RequestSource): Promise<Refusal | undefined> {
    try {
      if ((await auth(message)) === true) return undefined;
    } catch (error) {
      internals.rethrow(error);
      return refuse(500, "The function `auth` has failed.");
    }
    return refuse(403, "The application does not let you in.");
  }

  /** Decides about a handshake of the page, which a token is asked for, too. Browsers may send it without the password. */
  async admits(request: IncomingMessage): Promise<boolean> {
    if (this.#auth === undefined) {
      return isLocal({ remoteAddress: request.socket.remoteAddress, headers: request.headers });
    }
    if (this.#auth instanceof Credentials) return true;
    try {
      return (await this.#auth(request)) === true;
    } catch (error) {
      internals.rethrow(error);
      return false;
    }
  }
}
