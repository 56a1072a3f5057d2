import type { Host, internals } from "@tidewire/engine";
import { Kind } from "../link/kinds.ts";
import type { Link, LinkStream, StreamHandlers } from "../link/link.ts";
import { PayloadReader } from "../link/reader.ts";
import type { Members } from "../members.ts";
import { readHead } from "./head.ts";
import { LinkHttpExchange } from "./link-http-exchange.ts";
import { LinkUpgradeExchange } from "./link-upgrade-exchange.ts";

/** Serves what other nodes forward to this one: a host like any other. */
export class LinkHost implements Host {
  #target: internals.ClusterTarget | undefined = undefined;

  constructor(members: Members) {
    members.handle(Kind.REQUEST, {
      onStream: (link, stream, payload) => this.#onRequest(link, stream, new PayloadReader(payload)),
    });
    members.handle(Kind.UPGRADE, {
      onStream: (_link, stream, payload) => this.#onUpgrade(stream, new PayloadReader(payload)),
    });
  }

  bind(target: internals.ClusterTarget): void {
    this.#target = target;
  }

  #onRequest(link: Link, stream: LinkStream, reader: PayloadReader): StreamHandlers | undefined {
    const target = this.#target;
    if (target === undefined) return undefined;
    const exchange = new LinkHttpExchange(readHead(reader), link, stream, target);
    target.onRequest(exchange);
    return exchange;
  }

  #onUpgrade(stream: LinkStream, reader: PayloadReader): StreamHandlers | undefined {
    const target = this.#target;
    if (target === undefined) return undefined;
    const isMalformed = reader.u8() === 1;
    const exchange = new LinkUpgradeExchange(readHead(reader), stream, isMalformed);
    target.onUpgrade(exchange);
    return exchange;
  }
}
