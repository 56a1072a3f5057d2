import type { Message } from "../protocol/packet.ts";
import { Session } from "./session.ts";

/** Queues the messages of an event; while the transport takes nothing, they replace the earlier ones of the same key. */
export function sendNewest(session: Session, key: string, messages: readonly Message[]): void {
  Session.control.sendNewest(session, key, messages);
}

/** Queues the messages of an event, which are dropped when more than `maxBackpressure` waits. */
export function sendDroppable(session: Session, messages: readonly Message[]): void {
  Session.control.sendDroppable(session, messages);
}
