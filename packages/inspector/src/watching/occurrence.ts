/** What the feed shows. */
export type Kind = "in" | "out" | "broadcast" | "connect" | "disconnect" | "refused" | "limit" | "action";

/** Something that has happened, before anybody has said that it is to be shown: nothing of it is formatted. */
export interface Occurrence {
  readonly kind: Kind;
  readonly namespace: string;
  /** The id of the socket, if it is about one. */
  readonly socket?: string | undefined;
  /** The id of its connection. */
  readonly sid?: string | undefined;
  /** The name of the event, the reason of a disconnect, or the code of a refusal. */
  readonly name: string;
  readonly args?: readonly unknown[] | undefined;
  /** Where a broadcast goes; empty for the whole namespace. */
  readonly rooms?: ReadonlySet<string> | undefined;
  readonly except?: ReadonlySet<string> | undefined;
  /** More about a disconnect or a refusal. */
  readonly detail?: string | undefined;
}

/** Whoever wants to hear of them. */
export interface Hearer {
  hear(occurrence: Occurrence): void;
}
