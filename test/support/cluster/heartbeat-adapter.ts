import { ClusterAdapterWithHeartbeat } from "socket.io-adapter";
import type { ClusterMessage, ClusterResponse } from "socket.io-adapter";
import { deserialize, serialize } from "node:v8";

/** The servers of one process, connected by a bus that carries bytes asynchronously, as a broker does. */
export class HeartbeatCluster {
  readonly #members = new Set<{
    receive(message: Buffer): void;
    answer(response: Buffer, to: string): void;
  }>();
  /** A value for the option `adapter`: a function, as published packages return it. */
  readonly adapter: (nsp: unknown) => ClusterAdapterWithHeartbeat;

  /** @param heartbeatTimeout - how long a member may be silent, in ms */
  constructor(heartbeatTimeout: number) {
    const members = this.#members;

    class Member extends ClusterAdapterWithHeartbeat {
      constructor(nsp: unknown) {
        super(nsp, { heartbeatInterval: heartbeatTimeout / 4, heartbeatTimeout });
        members.add(this);
      }

      override doPublish(message: ClusterMessage): Promise<string> {
        const bytes = serialize(message);
        setImmediate(() => {
          if (!members.has(this)) return;
          for (const member of members) if (member !== this) member.receive(bytes);
        });
        return Promise.resolve("");
      }

      override doPublishResponse(requester: string, response: ClusterResponse): Promise<void> {
        const bytes = serialize(response);
        setImmediate(() => {
          if (!members.has(this)) return;
          for (const member of members) member.answer(bytes, requester);
        });
        return Promise.resolve();
      }

      override close(): void {
        super.close();
        // After its goodbye message.
        setImmediate(() => members.delete(this));
      }

      receive(bytes: Buffer): void {
        const message = deserialize(bytes) as ClusterMessage;
        if (message.nsp === this.nsp.name) this.onMessage(message);
      }

      answer(bytes: Buffer, to: string): void {
        if (to === this.uid) this.onResponse(deserialize(bytes) as ClusterResponse);
      }
    }

    // Not an arrow function: it is called with `new`.
    this.adapter = function createAdapter(nsp: unknown): ClusterAdapterWithHeartbeat {
      return new Member(nsp);
    };
  }

  /** Disconnects a server from the bus, in both directions. */
  cutOff(adapter: object): void {
    this.#members.delete(adapter as never);
  }
}
