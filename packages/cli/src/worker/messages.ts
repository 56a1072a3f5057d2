/** What a worker says to its supervisor once it listens. */
export interface ReadyMessage {
  readonly type: "tidewire:ready";
  /** Such as `port 3000`; undefined where the application listens on an app of its own. */
  readonly address: string | undefined;
}

/** What a worker says when its clients have left, and a listener of SIGTERM of the application is to end the process. */
export interface HandedOverMessage {
  readonly type: "tidewire:handed-over";
}

/** What the supervisor says to a worker that is to end. */
export interface RetireMessage {
  readonly type: "tidewire:retire";
  /** How long its clients may take to leave, in ms; 0 for all at once. */
  readonly within: number;
}

export function isReady(message: unknown): message is ReadyMessage {
  return typeOf(message) === "tidewire:ready";
}

export function isHandedOver(message: unknown): message is HandedOverMessage {
  return typeOf(message) === "tidewire:handed-over";
}

export function isRetire(message: unknown): message is RetireMessage {
  return typeOf(message) === "tidewire:retire";
}

function typeOf(message: unknown): unknown {
  return typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
}
