/** What a message of broadcasting says. A number is never used for anything else later, and unknown ones are ignored. */
export const Cast = {
  // Published.
  BROADCAST: 1,
  /** A broadcast whose receivers are asked for answers: REACHED, then an ACK for each. */
  BROADCAST_WITH_ACK: 2,
  /** The answers to a broadcast are no longer wanted. */
  FORGET: 3,
  JOIN: 4,
  LEAVE: 5,
  DISCONNECT: 6,
  SERVER_SIDE_EMIT: 7,
  // Published to all nodes, too: each sends one ANSWER.
  SERVER_SIDE_ASK: 8,
  FETCH: 9,
  COUNT: 10,

  // Replies to the node that has asked.
  ANSWER: 32,
  REACHED: 33,
  ACK: 34,
} as const;

/** What an ANSWER begins with. */
export const Status = {
  ANSWERED: 0,
  /** The node does not have the namespace. */
  ABSENT: 1,
  /** The node could not answer; the message of its error follows. */
  FAILED: 2,
} as const;
