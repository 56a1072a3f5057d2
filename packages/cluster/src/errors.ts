/** Every error of the links between nodes, with its message. */
export const linkMessages = {
  MALFORMED: (detail: string): string => `the other node sent a malformed message: ${detail}`,
  NOT_A_NODE: (): string => "the connection does not begin with the greeting of a Tidewire node",
  OTHER_CLUSTER: (name: string): string => `the other node belongs to the cluster "${name}"`,
  OTHER_VERSION: (version: string): string =>
    `the other node speaks version ${version} of the protocol between nodes, which this one does not`,
  SAME_NODE: (id: string): string => `the node ${id} is this one, or linked already`,
  OTHER_NODE: (id: string): string => `the node ${id} has answered in place of the expected one`,
  NO_GREETING: (): string => "the other node did not greet in time",
  HEARTBEAT_LOST: (): string => "the other node has missed three heartbeats",
  TOO_SLOW: (): string =>
    "the other node reads too slowly: more than 64 MiB have waited for it during three heartbeats",
  GIVEN_UP: (): string => "this node has missed three heartbeats, and the other node has given it up",
  CLOSED: (): string => "the other node has closed the link",
  UNWELCOME: (): string =>
    "it has closed the connection before its greeting: perhaps it does not accept the certificate of this node",
  RENEWED: (): string => "this node has taken another id",
  LEFT: (): string => "this node has left the cluster",
  REFUSED: (reason: string): string => `the other node has refused the link: ${reason}`,
  OTHER_END_DIALS: (): string => "the node with the smaller id makes the connection",
  CUT: (): string => "the link was cut",
} as const;

/** Identifies an error of a link. */
export type LinkErrorCode = keyof typeof linkMessages;

/** Why a link has ended, or was refused. */
export class LinkError extends Error {
  override readonly name: string = "LinkError";
  readonly code: LinkErrorCode;
  /** Of a link that was refused: the code of the error at the other node, if it has said so. */
  readonly reason: string | undefined;

  /** @param detail - the value in the message, if there is one */
  constructor(code: LinkErrorCode, detail: string = "", reason?: string) {
    super(linkMessages[code](detail));
    this.code = code;
    this.reason = reason;
  }
}

/** Every error of the cluster, with its message. */
export const clusterMessages = {
  FOREIGN_DIRECTORY: (path: string): string =>
    `the directory ${path} belongs to another user, or is none: remove it, or name another one with the option "directory"`,
  OPEN_DIRECTORY: (path: string): string =>
    `other users can enter the directory ${path}: give it the mode 0700, for whoever can connect to its sockets can send messages in the name of clients`,
  PATH_TOO_LONG: (path: string): string =>
    `the path ${path} is too long for a socket: name a shorter one with the option "directory"`,
  BAD_NAME: (name: string): string =>
    `"${name}" cannot be the name of a cluster: use 1 to 40 of the characters A-Z a-z 0-9 . _ -`,
  NO_NAME: (): string =>
    'the cluster has no name: give the option "name", or attach the server to an HTTP server, whose port names it',
  NO_LOCAL_SOCKETS: (): string =>
    'this platform has no unix sockets: link the processes over TCP, with the options "listen" and "backend" or "discovery"',
  CANNOT_LISTEN: (detail: string): string => `this node cannot listen for the others: ${detail}`,
  NO_SECRET: (): string =>
    'links between machines need a secret that all nodes share, or certificates: give "listen.secret" or "listen.tls"',
  SHORT_SECRET: (): string =>
    'the secret "listen.secret" needs at least 16 characters: 32 random bytes are best',
  NO_AUTHORITY: (): string =>
    'the certificates in "listen.tls" need "ca", the authority that has signed those of all nodes: otherwise anybody with a certificate is let in',
  NO_DISCOVERY: (): string =>
    'the nodes of several machines need the option "listen", and "backend" or "discovery", together',
  BAD_BACKEND: (): string =>
    'the option "backend" must be what redis(), nats() or postgres() returns, or another object with "discovery" and "channels"',
  BAD_DISCOVERY: (): string =>
    'the option "discovery" cannot find anybody: give what redis(), nats() or postgres() returns as "backend"',
  UNUSED_BACKEND: (): string =>
    'the option "backend" is not used: "adapter" carries the broadcasts, and "discovery" finds the nodes',
  BAD_ADDRESS: (address: string): string => `"${address}" is no address: use "host:port"`,
  DISCOVERY_AWAY: (detail: string): string =>
    `the nodes of other machines cannot be found at present: ${detail}`,
  CHANNELS_AWAY: (detail: string): string =>
    `broadcasts to other nodes go over the links at present, for the broker cannot be reached: ${detail}`,
  NO_JOURNAL: (): string =>
    'the order "stream" needs a backend with a journal, such as redis() of @tidewire/cluster-redis, and no other adapter',
  JOURNAL_AWAY: (detail: string): string =>
    `the journal cannot be reached: events go on over the links, and clients that come back start anew: ${detail}`,
  TOO_LARGE: (detail: string): string =>
    `the message is too large for the other nodes, and was not sent: ${detail}`,
  NODE_REFUSED: (detail: string): string => `no link to another machine: ${detail}`,
  ANSWER_FAILED: (detail: string): string => `node ${detail}`,
  // The text is that of the official adapter.
  ANSWERS_MISSING: (count: string): string => `timeout reached: missing ${count} responses`,
  NO_OTHER_SERVER: (): string => "a cluster belongs to one server: call cluster() again for another one",
} as const;

/** Identifies an error of the cluster. */
export type ClusterErrorCode = keyof typeof clusterMessages;

/** Why a node cannot take part in its cluster, cannot send something to the others, or does not get what it has asked them for. */
export class ClusterError extends Error {
  override readonly name: string = "ClusterError";
  readonly code: ClusterErrorCode;

  /** @param detail - the value in the message, if there is one */
  constructor(code: ClusterErrorCode, detail: string = "", options?: ErrorOptions) {
    super(clusterMessages[code](detail), options);
    this.code = code;
  }
}
