// Long-polling that can stop reading. A browser reads its WebSockets whether the page keeps up or not; with long-polling, a client
// that sends no poll is one that does not read, and what the server emits waits there.
import { XHR } from "/socket.io/socket.io.esm.min.js";

/** Returns a transport for the option `transports` of the official client, and the tap that stops it. */
export function slowPolling() {
  const tap = { isOpen: true, delay: 0, waiting: undefined };

  class SlowPolling extends XHR {
    doPoll() {
      const poll = () => {
        if (!tap.isOpen) tap.waiting = poll;
        else if (this.readyState !== "closed") super.doPoll();
      };
      if (tap.delay > 0) setTimeout(poll, tap.delay);
      else poll();
    }
  }

  return {
    transport: SlowPolling,
    /** Sends no more polls. One that is under way is still answered. */
    stop() {
      tap.isOpen = false;
    },
    /** Reads again. */
    resume() {
      tap.isOpen = true;
      const { waiting } = tap;
      tap.waiting = undefined;
      waiting?.();
    },
    /** Waits before each poll, in ms: a client that reads, but slowly. */
    slowDown(delay) {
      tap.delay = delay;
    },
  };
}
