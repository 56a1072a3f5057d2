import type { LinkListenOptions } from "@tidewire/cluster";

/** How many rooms there are; each client is in one of them. */
export const ROOMS = 20;

/** What the program of a node is told when it starts. */
export interface NodeSettings {
  readonly host: "uws" | "node";
  readonly port: number;
  /** Where the load balancer asks whether it takes new clients. */
  readonly healthPort: number;
  /** Where the nodes of its machine find each other. */
  readonly directory: string;
  readonly listen: LinkListenOptions;
  readonly redisUrl: string;
  /** How long its clients may take to leave, in ms. */
  readonly drainWithin: number;
  /** How often clients are asked whether they are there, in ms; by default as seldom as officially. */
  readonly pingInterval?: number | undefined;
}

/** How many events a process has sent: to each room, and, as the last number, to everybody. */
export type Sent = readonly number[];
