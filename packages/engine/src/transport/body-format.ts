/** How payloads are written into the bodies of long-polling and read from them. A session keeps the one it began with. */
export interface BodyFormat {
  /** Whether a payload may be bytes. */
  readonly binary: boolean;
  contentType(payload: string | Buffer): string;
  /** Returns the body of the answer to a poll. */
  wrap(payload: string | Buffer): string | Buffer;
  /** Returns the payload in the body of a POST, on memory of its own; undefined if the body holds none. */
  unwrap(body: Buffer, contentType: string | undefined): string | Buffer | undefined;
}

export const BINARY_TYPE = "application/octet-stream";

/** The payload is the body. */
export const plainFormat: BodyFormat = {
  binary: true,
  contentType: (payload) => (typeof payload === "string" ? "text/plain; charset=UTF-8" : BINARY_TYPE),
  wrap: (payload) => payload,
  unwrap: (body, contentType) => (contentType === BINARY_TYPE ? Buffer.from(body) : body.toString()),
};
