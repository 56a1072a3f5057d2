/** What `@tidewire/cluster` shares with the server. Not for applications: it changes with any release. @module */
export { SharedPacket } from "./connection/shared-packet.ts";
export type { EncodedPacket } from "./connection/port.ts";
export type { WaitingFlags } from "./connection/waiting.ts";
export type { AckCallback } from "./events/acks.ts";
export { RecoveryAdapter } from "./recovery/adapter.ts";
export type { SocketDetails } from "./remote-socket.ts";
export { EventLoopDelay } from "./stats/event-loop-delay.ts";
export type { DelayStats } from "./stats/event-loop-delay.ts";
export { viewOf } from "./inspection/view.ts";
export type { InspectedNamespace, InspectedSocket, ServerView } from "./inspection/view.ts";
export type { AttachmentListener } from "./inspection/attachments.ts";
export { MemoryAdapter } from "./rooms/memory-adapter.ts";
export type { AdapterNamespace, LocalSocket } from "./rooms/memory-adapter.ts";
export { currentWorker } from "./worker.ts";
export type { Worker, WorkerServer } from "./worker.ts";
export * as timers from "./timers.ts";
