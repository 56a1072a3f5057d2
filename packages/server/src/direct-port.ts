import { Message } from "@tidewire/engine";
import { toBuffer } from "@tidewire/parser";
import type { Binary } from "@tidewire/parser";
import type {
  Connection,
  ConnectionListener,
  ConnectionPort,
  EncodedPacket,
  WriteOptions,
} from "./connection-port.ts";

/** A session of `@tidewire/engine`: it calls its handlers, and takes messages that many sessions share. */
export interface DirectConnection extends Connection {
  handlers: DirectHandlers | undefined;
  readonly writable: boolean;
  sendMessage(message: Message): void;
}

interface DirectHandlers {
  onMessage(data: string | Buffer): void;
  onClose(reason: string, description?: unknown): void;
}

/** The road without events. */
export class DirectPort implements ConnectionPort, DirectHandlers {
  private readonly conn: DirectConnection;
  private readonly listener: ConnectionListener;

  constructor(conn: DirectConnection, listener: ConnectionListener) {
    this.conn = conn;
    this.listener = listener;
    conn.handlers = this;
  }

  onMessage(data: string | Buffer): void {
    this.listener.ondata(data);
  }

  onClose(reason: string, description?: unknown): void {
    this.listener.onclose(reason, description);
  }

  write(packet: EncodedPacket, options: WriteOptions): void {
    const { conn } = this;
    if (options.volatile && !conn.writable) {
      return;
    }
    if (options.preEncoded) {
      for (const message of sharedMessages(packet, options)) conn.sendMessage(message);
    } else {
      for (const data of packet) conn.sendMessage(messageOf(data, options));
    }
  }

  release(): void {
    this.conn.handlers = undefined;
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
