import type { PublisherId } from "./journal.ts";

/**
 * What a client has received: all events up to an id, and those of one node up to a number, which it may have got before they had an
 * id. Clients keep it as text, the last argument of each event.
 */
export interface Received {
  readonly epoch: string;
  readonly id: number;
  readonly publisher: PublisherId;
  readonly seq: number;
}

/** The number of the latest item that a client has of each node on which it was. */
export type Had = ReadonlyMap<PublisherId, number>;

/** Of how many nodes it is known what a client has received: it may reach the journal, and other nodes, after the client has. */
const MOST_NODES = 16;

/** Adds what a client has received to what it had. */
export function hadWith(had: Had, { publisher, seq }: Received): Had {
  const all = new Map(had);
  all.delete(publisher);
  all.set(publisher, Math.max(seq, had.get(publisher) ?? 0));
  return new Map([...all].slice(-MOST_NODES));
}

/** What a client keeps that has received something of which the journal of its epoch knows nothing. */
export interface Unknown {
  readonly epoch: string;
  readonly id?: undefined;
}

const FORM = /^([\w-]+)\.([\da-z]+)\.([\w-]+)\.([\da-z]+)$/;
const UNKNOWN_FORM = /^([\w-]*)\.$/;

export function formatOffset(epoch: string, id: number, publisher: PublisherId, seq: number): string {
  return `${epoch}.${id.toString(36)}.${publisher}.${seq.toString(36)}`;
}

/** Returns the offset of an event that cannot be recovered: whoever presents it is refused. */
export function unknownOffset(epoch: string): string {
  return `${epoch}.`;
}

/** Returns undefined for text that is no offset: clients keep any text that ends an event. */
export function parseOffset(offset: string): Received | Unknown | undefined {
  const parts = FORM.exec(offset);
  if (parts !== null) {
    const [, epoch = "", id = "", publisher = "", seq = ""] = parts;
    return { epoch, id: Number.parseInt(id, 36), publisher, seq: Number.parseInt(seq, 36) };
  }
  const epoch = UNKNOWN_FORM.exec(offset)?.[1];
  return epoch === undefined ? undefined : { epoch };
}

/**
 * Decides what a client has received.
 *
 * @param start - where its state began
 * @param claimed - what the client says; undefined if it says nothing
 * @param epoch - that of the journal
 * @param home - the node on which the socket of the state lives or lived
 * @returns undefined if it cannot be known
 */
export function receivedBy(
  start: string,
  claimed: string | undefined,
  epoch: string,
  home: PublisherId,
): Received | undefined {
  const began = parseOffset(start);
  const own = began?.epoch === epoch && began.id !== undefined ? began : undefined;
  if (claimed === undefined) return own;
  const said = parseOffset(claimed);
  if (said === undefined) return undefined;
  // A client keeps the offset of an earlier state until it receives something. The epoch of this state came later.
  if (said.epoch !== epoch) return own;
  if (said.id === undefined) return undefined;
  return own === undefined || isLater(said, own, home) ? said : own;
}

function isLater(said: Received, start: Received, home: PublisherId): boolean {
  if (said.id !== start.id) return said.id > start.id;
  return said.publisher === start.publisher ? said.seq > start.seq : said.publisher === home;
}
