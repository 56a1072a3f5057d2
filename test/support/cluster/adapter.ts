import { ClusterAdapter } from "socket.io-adapter";
import type { ClusterMessage, ClusterResponse } from "socket.io-adapter";

/** An adapter that connects servers of one process as published adapters connect machines. */
export function cluster(): typeof ClusterAdapter {
  const members = new Set<Member>();

  class Member extends ClusterAdapter {
    constructor(nsp: unknown) {
      super(nsp);
      members.add(this);
    }

    override close(): void {
      members.delete(this);
    }

    override serverCount(): Promise<number> {
      return Promise.resolve(this.others.length + 1);
    }

    override doPublish(message: ClusterMessage): Promise<string> {
      for (const other of this.others) other.onMessage(message);
      return Promise.resolve("");
    }

    override doPublishResponse(requester: string, response: ClusterResponse): Promise<void> {
      this.others.find(({ uid }) => uid === requester)?.onResponse(response);
      return Promise.resolve();
    }

    /** The adapters of the namespace on the other servers. */
    private get others(): Member[] {
      return [...members].filter((other) => other !== this && other.nsp.name === this.nsp.name);
    }
  }

  return Member;
}
