/** The limits of the chat. The page gets them when it connects. */
export const limits = {
  /** Characters of a nickname. */
  nickname: 24,
  /** Characters of a room's name. */
  roomName: 24,
  /** Characters of a message. */
  message: 2000,
  /** Bytes of an image; encoded in base64, with its message, it still fits into `maxHttpBufferSize`. */
  image: 2_000_000,
  /** Rooms that exist at once; a new room replaces the oldest empty one. */
  rooms: 32,
  /** Rooms that a person can be in at once. */
  roomsPerPerson: 8,
  /** Messages kept per room for people who join later. */
  history: 50,
  /**
   * Images kept, in all rooms together. A client accepts at most ten attachments per packet, and the history
   * of a room is one packet.
   */
  images: 8,
};

/** Bytes of one message; the server option of this name. */
export const maxHttpBufferSize = 3_000_000;
