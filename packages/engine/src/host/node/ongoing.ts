/** Something that keeps a connection open while its server closes. */
export interface Ongoing {
  /** Drops the connection. */
  cut(): void;
}

/**
 * What a closing server waits for beside its requests: upgrades while a hook decides, and WebSockets that wait for the client's
 * close frame. Sessions close open WebSockets themselves.
 */
export type OngoingSet = Set<Ongoing>;

/**
 * The requests that a closing server waits for: until they are answered and read to their end. A list, because requests come and go:
 * the tables that a Set outgrows would keep them alive from one garbage collection to the next.
 */
export class OngoingRequests {
  #last: OngoingRequest | undefined = undefined;

  add(request: OngoingRequest): void {
    request.previous = this.#last;
    if (this.#last !== undefined) this.#last.next = request;
    this.#last = request;
  }

  delete(request: OngoingRequest): void {
    const { previous, next } = request;
    if (previous !== undefined) previous.next = next;
    if (next !== undefined) next.previous = previous;
    else if (this.#last === request) this.#last = previous;
    request.previous = undefined;
    request.next = undefined;
  }

  cut(): void {
    let request = this.#last;
    while (request !== undefined) {
      // Cutting one takes it off the list.
      const { previous } = request;
      request.cut();
      request = previous;
    }
  }
}

/** A request, and its neighbours in the list. */
export interface OngoingRequest extends Ongoing {
  previous: OngoingRequest | undefined;
  next: OngoingRequest | undefined;
}
