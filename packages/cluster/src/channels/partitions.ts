import type { Room } from "socket.io-adapter";

/** How many channels the rooms of all namespaces share. */
export const PARTITIONS = 256;

/** The channel to which every node subscribes, after those of rooms. */
export const EVERYONE: number = PARTITIONS;

/** A message for the rooms of more channels than this goes to everyone, once. */
const MOST_CHANNELS = 4;

/** A message for more rooms than this goes to everyone without a look at their channels. */
const MOST_ROOMS = 16;

/** The length of a socket's id. */
const ID_LENGTH = 20;

/** The list of the channel of everyone. */
export const toEveryone: readonly number[] = [EVERYONE];

/** Lists of one channel each: the same list for each message to it. */
const toPartitions: readonly (readonly number[])[] = Array.from({ length: PARTITIONS }, (_, n) => [n]);

/** Returns the channels on which a message is published: to everyone if no room is named. Each channel once, in order. */
export function channelsOf(namespace: string, rooms: ReadonlySet<Room>): readonly number[] {
  if (rooms.size === 0 || rooms.size > MOST_ROOMS) return toEveryone;
  if (rooms.size === 1) {
    for (const room of rooms) return toPartitions[channelOf(namespace, room)] ?? toEveryone;
  }
  const channels = new Set<number>();
  for (const room of rooms) channels.add(channelOf(namespace, room));
  if (channels.has(EVERYONE) || channels.size > MOST_CHANNELS) return toEveryone;
  const [first] = channels;
  if (channels.size === 1) return toPartitions[first!]!;
  return [...channels].toSorted((a, b) => a - b);
}

/**
 * Returns the channel of a room: a partition, or, for a room that may be a socket's own, that of everyone. Every node has sockets in
 * nearly all partitions, so partitions of ids would tell no node from another, and each connection would cost a subscription. Only
 * the name decides, for the publisher knows nothing else of the room.
 */
export function channelOf(namespace: string, room: Room): number {
  // Applications without types join rooms with numbers for names, too.
  const name = String(room);
  return isIdOfSocket(name) ? EVERYONE : hash(hash(FNV_OFFSET, namespace), name) % PARTITIONS;
}

/** Clients of version 2 have the namespace and `#` in front of the id, in namespaces other than the main one. */
function isIdOfSocket(name: string): boolean {
  const { length } = name;
  return length === ID_LENGTH || (length > ID_LENGTH && name[length - ID_LENGTH - 1] === "#");
}

const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** FNV-1a, and the end of the text. */
function hash(value: number, text: string): number {
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), FNV_PRIME);
  // The lowest bits depend on all others.
  value = Math.imul(value ^ 0xff, FNV_PRIME);
  return (value ^ (value >>> 15)) >>> 0;
}
