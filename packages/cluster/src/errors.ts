/** Every error of the links between nodes and of the cluster, with its message. */
const messages = {
  MALFORMED: (detail: string): string => `the other node sent a malformed message: ${detail}`,
  NOT_A_NODE: (): string => "the connection does not begin with the greeting of a Tidewire node",
  OTHER_CLUSTER: (name: string): string => `the other node belongs to the cluster "${name}"`,
  OTHER_VERSION: (version: string): string =>
    `the other node speaks version ${version} of the protocol between nodes, which this one does not`,
  SAME_NODE: (id: string): string => `the node ${id} is this one, or linked already`,
  NO_GREETING: (): string => "the other node did not greet in time",
  HEARTBEAT_LOST: (): string => "the other node has missed three heartbeats",
  CLOSED: (): string => "the other node has closed the link",
  LEFT: (): string => "this node has left the cluster",
  REFUSED: (reason: string): string => `the other node has refused the link: ${reason}`,
  OTHER_END_DIALS: (): string => "the node with the smaller id makes the connection",
  CUT: (): string => "the link was cut",
} as const;

/** Identifies an error of a link. */
export type LinkErrorCode = keyof typeof messages;

/** Why a link has ended, or was refused. */
export class LinkError extends Error {
  override readonly name: string = "LinkError";
  readonly code: LinkErrorCode;

  /** @param detail - the value in the message, if there is one */
  constructor(code: LinkErrorCode, detail: string = "") {
    super(messages[code](detail));
    this.code = code;
  }
}
