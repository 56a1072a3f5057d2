import type { ChildProcess, Serializable } from "node:child_process";

/** A connection that `node:cluster` holds open here until the worker says that it has it. */
interface Handle {
  close(): void;
}

/**
 * Closes the connections that `node:cluster` has handed to a worker which ends before it says that it has them. Node forgets
 * about them and keeps them open, so that their clients would wait for an answer as long as they can.
 */
export function closeWhatIsHandedTo(worker: ChildProcess): void {
  const unconfirmed = new Map<unknown, Handle>();
  const send = worker.send.bind(worker);
  worker.send = (message: Serializable, ...rest: readonly unknown[]): boolean => {
    const [handle] = rest;
    if (isOfCluster(message) && message.act === "newconn" && isHandle(handle))
      unconfirmed.set(message.seq, handle);
    return Reflect.apply(send, worker, [message, ...rest]);
  };
  worker.on("internalMessage", (message: unknown) => {
    if (isOfCluster(message)) unconfirmed.delete(message.ack);
  });
  const closeAll = (): void => {
    for (const handle of unconfirmed.values()) handle.close();
    unconfirmed.clear();
  };
  // By then, all that it has said is read. Node emits no `disconnect` while it waits until a handle has arrived. A worker that
  // lives on without its channel keeps its connections: these are copies.
  worker.once("disconnect", closeAll);
  worker.once("close", closeAll);
}

interface ClusterMessage {
  readonly cmd: "NODE_CLUSTER";
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

function isOfCluster(message: unknown): message is ClusterMessage {
  return (
    typeof message === "object" && message !== null && "cmd" in message && message.cmd === "NODE_CLUSTER"
  );
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "close" in value && typeof value.close === "function";
}
