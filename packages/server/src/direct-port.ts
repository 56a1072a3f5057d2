import { Message } from "@tidewire/engine";
import { toBuffer } from "@tidewire/parser";
import type { Binary } from "@tidewire/parser";
import type {
  Connection,
  ConnectionPort,
  DirectListener,
  EncodedPacket,
  WriteOptions,
} from "./connection-port.ts";

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

/** The messages of a packet that goes to several receivers, by the array that each of them is handed. */
const messagesOfPackets = new WeakMap<EncodedPacket, readonly Message[]>();

function sharedMessages(packet: EncodedPacket, options: WriteOptions): readonly Message[] {
  let messages = messagesOfPackets.get(packet);
  if (messages === undefined) {
    messages = packet.map((data) => messageOf(data, options));
    messagesOfPackets.set(packet, messages);
  }
  return messages;
}
