import type { Message, Session } from "@tidewire/engine";
import type { Connection, ConnectionListener, ConnectionPort, EncodedPacket, WriteOptions } from "./port.ts";
import { ForeignBroadcast, SharedPacket, toMessage } from "./shared-packet.ts";

/** A session of `@tidewire/engine`: it calls its handlers, and takes messages that many sessions share. */
export interface DirectConnection extends Connection {
  handlers: Pick<ConnectionListener, "onMessage" | "onClose"> | undefined;
  readonly writable: boolean;
  sendMessage(message: Message, isShared?: boolean): void;
}

const foreignBroadcast = new ForeignBroadcast();

/** The port to a session, without events. It has no state of its own: all clients use the same one. */
export const directPort: ConnectionPort<DirectConnection> = {
  write(session, packet, options) {
    if (options.volatile && !session.writable) return false;
    if (options.waits !== undefined && !session.writable) {
      options.waits.queue(session as unknown as Session, messagesOf(packet, options));
    } else if (options.preEncoded) {
      const messages = messagesOf(packet, options);
      for (let i = 0; i < messages.length; i++) session.sendMessage(messages[i]!, true);
    } else {
      for (let i = 0; i < packet.length; i++) session.sendMessage(toMessage(packet[i], options));
    }
    return true;
  },
  release(session) {
    session.handlers = undefined;
  },
};

function messagesOf(packet: EncodedPacket, options: WriteOptions): readonly Message[] {
  if (!options.preEncoded) return packet.map((part) => toMessage(part, options));
  return options instanceof SharedPacket && options.encoded === packet
    ? options.messages
    : foreignBroadcast.messagesOf(packet, options);
}
