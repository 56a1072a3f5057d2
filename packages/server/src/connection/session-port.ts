import { Message } from "@tidewire/engine";
import { toBuffer } from "@tidewire/parser";
import type { Binary } from "@tidewire/parser";
import type { Connection, ConnectionPort, DirectListener, EncodedPacket, WriteOptions } from "./port.ts";
import { queueMicrotask } from "../timers.ts";

/** A session of `@tidewire/engine`: it calls its handlers, and takes messages that many sessions share. */
export interface DirectConnection extends Connection {
  handlers: DirectListener | undefined;
  readonly writable: boolean;
  sendMessage(message: Message, isShared?: boolean): void;
}

/** The road without events. There is nothing to remember on it: all clients take the same one. */
export const directPort: ConnectionPort = {
  write(conn, packet, options) {
    write(conn as DirectConnection, packet, options);
  },
  release(conn) {
    (conn as DirectConnection).handlers = undefined;
  },
};

function write(conn: DirectConnection, packet: EncodedPacket, options: WriteOptions): void {
  if (options.volatile && !conn.writable) {
    return;
  }
  if (options.preEncoded) {
    const messages = sharedMessages(packet, options);
    for (let i = 0; i < messages.length; i++) conn.sendMessage(messages[i]!, true);
  } else {
    for (let i = 0; i < packet.length; i++) conn.sendMessage(messageOf(packet[i], options));
  }
}

function messageOf(encoded: unknown, options: WriteOptions): Message {
  // Encoders of other parsers may give any kind of bytes.
  const data = typeof encoded === "string" ? encoded : toBuffer(encoded as Binary);
  return options.compress === false ? new Message(data, { compress: false }) : new Message(data);
}

/** A packet that is being handed to its receivers, and the messages they share. */
interface SharedPacket {
  readonly packet: EncodedPacket;
  readonly options: WriteOptions;
  readonly messages: readonly Message[];
}

/**
 * Adapters hand a packet to all of its receivers in one go, with the same array and the same options. Remembered no longer
 * than that: a parser may encode each packet into the same array.
 */
let shared: SharedPacket | undefined;

function sharedMessages(packet: EncodedPacket, options: WriteOptions): readonly Message[] {
  if (shared?.packet !== packet || shared.options !== options) {
    if (shared === undefined) queueMicrotask(forgetShared);
    shared = { packet, options, messages: packet.map((data) => messageOf(data, options)) };
  }
  return shared.messages;
}

function forgetShared(): void {
  shared = undefined;
}
