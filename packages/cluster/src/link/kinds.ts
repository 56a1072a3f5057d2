/**
 * The kinds of messages between nodes, 0 to 127. Each area has a range of its own. A number is never used for anything else
 * later: nodes of two successive versions talk to each other, and ignore the kinds that they do not know.
 */
export const Kind = {
  // 1 to 15: the link itself.
  HELLO: 1,
  PING: 2,
  PONG: 3,
  END: 4,
  GRANT: 5,
  REFUSE: 6,
  LOST: 7,

  // 16 to 39: forwarding.
  REQUEST: 16,
  RESPONSE: 17,
  BODY: 18,
  UPGRADE: 19,
  ACCEPT: 20,
  REJECT: 21,
  TEXT: 22,
  CLOSE: 23,
  BODY_TOO_LARGE: 24,
  FAILED: 25,
  USUAL_RESPONSE: 26,
  RELEASE: 27,
  BINARY: 28,
  COMPRESSED_TEXT: 29,
  COMPRESSED_BINARY: 30,

  // 40 to 55: binding.
  CLAIM: 40,
  MOVED: 41,
  IMPORTED: 42,
  CONFIRM: 43,
  FORGET: 44,

  // 56 to 79: broadcasting, which has kinds of its own.
  CAST: 56,
  REPLY: 57,
  PUBLICATION: 58,
  HEARING: 59,
  JOURNAL: 64,

  // 80 to 95: what nodes say of themselves.
  STATUS: 80,
} as const;

/** One more than the last kind of the link itself. */
export const FIRST_OF_AREAS = 16;
