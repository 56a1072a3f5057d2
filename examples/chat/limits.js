/** What the chat accepts. The page is told these numbers when it connects. */
export const limits = {
  /** Characters of a nickname. */
  nickname: 24,
  /** Characters of a room's name. */
  roomName: 24,
  /** Characters of a message. */
  message: 2000,
  /** Bytes of an image; in base64, with its message around it, it still fits into `maxHttpBufferSize`. */
  image: 2_000_000,
  /** Rooms that exist at once; the oldest empty one makes room for a new one. */
  rooms: 32,
  /** Rooms that one person is in at once. */
  roomsPerPerson: 8,
  /** Messages kept per room for those who come later. */
  history: 50,
  /**
   * Images kept, in all rooms together. A client takes at most ten attachments in one packet, and a
   * newcomer's history is one packet.
   */
  images: 8,
};

/** Bytes of one message on the wire, for the server's option of this name. */
export const maxHttpBufferSize = 3_000_000;
