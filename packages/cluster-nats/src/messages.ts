import type { Announcement } from "@tidewire/cluster";
import type { Acquaintance } from "./roster.ts";

/** What a node says of itself: where it is, or, with an empty address, that it has left. */
export interface Notice extends Announcement {
  /** It has just taken the id, and gives way to a node that has it already. */
  readonly isClaim: boolean;
}

/** Who is there, as a node answers one that has come. */
export interface Answer {
  readonly nodes: readonly Acquaintance[];
}

/** Reads a message; undefined if it is none of ours. */
export function read(data: Uint8Array): Notice | Answer | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString());
    return isNotice(value) || isAnswer(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function write(message: Notice | Answer): string {
  return JSON.stringify(message);
}

function isNotice(value: unknown): value is Notice {
  return isAnnouncement(value) && typeof value["isClaim"] === "boolean";
}

function isAnswer(value: unknown): value is Answer {
  return isRecord(value) && Array.isArray(value["nodes"]) && value["nodes"].every(isAcquaintance);
}

function isAcquaintance(value: unknown): boolean {
  return isAnnouncement(value) && typeof value["age"] === "number";
}

function isAnnouncement(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && ["id", "epoch", "address"].every((name) => typeof value[name] === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
