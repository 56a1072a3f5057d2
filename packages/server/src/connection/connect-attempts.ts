import type { Packet } from "@tidewire/parser";

/** How many packets may wait for all undecided CONNECTs of a connection together. */
export const MAX_EARLY_PACKETS = 1000;
/** How large they may be together, in bytes of binary and characters of text; the packet that reaches the limit still waits. */
export const MAX_EARLY_BYTES = 1_000_000;

/** A socket whose middlewares are running. */
interface WaitingSocket {
  _cleanup(): void;
}

/** One CONNECT of a client, from its arrival until the socket has joined and is ready for events, or is refused. */
export class ConnectAttempt {
  readonly name: string;
  /** False once the client is gone, has been refused, or has sent another CONNECT. */
  isWanted: boolean = true;
  /** Whether the socket has joined, and its events wait for its `connection` listeners. */
  isJoined: boolean = false;
  /** The socket while its middlewares run. */
  socket: WaitingSocket | undefined = undefined;
  /** The packets that have arrived for the namespace meanwhile, in order. */
  readonly packets: Packet[] = [];
  bytes: number = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** The CONNECTs of one connection that packets have to wait for, by namespace, and these packets. */
export class ConnectAttempts {
  /** The attempt of a client that has begun one, until there is a map. */
  #only: ConnectAttempt | undefined = undefined;
  /** Created for a second attempt. */
  #byName: Map<string, ConnectAttempt> | undefined = undefined;
  #joined = 0;
  #packets = 0;
  #bytes = 0;
  /** Size of the messages since the last complete packet. */
  #incoming = 0;

  get size(): number {
    return this.#byName?.size ?? (this.#only === undefined ? 0 : 1);
  }

  /** How many are still to be decided. */
  get undecided(): number {
    return this.size - this.#joined;
  }

  /** Lets the events of a socket wait although it has joined. */
  holdJoined(attempt: ConnectAttempt): void {
    if (this.get(attempt.name) !== attempt) return;
    attempt.isJoined = true;
    this.#joined++;
  }

  get(name: string): ConnectAttempt | undefined {
    if (this.#byName !== undefined) return this.#byName.get(name);
    return this.#only?.name === name ? this.#only : undefined;
  }

  /** Replaces an earlier attempt for the same namespace, which is given up. */
  begin(attempt: ConnectAttempt): void {
    const earlier = this.get(attempt.name);
    if (earlier === attempt) return;
    this.#set(attempt);
    if (earlier !== undefined) this.#giveUp(earlier);
  }

  #set(attempt: ConnectAttempt): void {
    const { name } = attempt;
    if (this.#byName === undefined && (this.#only === undefined || this.#only.name === name)) {
      this.#only = attempt;
      return;
    }
    this.#byName ??= new Map();
    if (this.#only !== undefined) this.#byName.set(this.#only.name, this.#only);
    this.#only = undefined;
    this.#byName.set(name, attempt);
  }

  /** Ends an attempt that is decided; packets that still wait for it are dropped. */
  end(attempt: ConnectAttempt): void {
    if (this.#only === attempt) this.#only = undefined;
    else if (this.get(attempt.name) === attempt) this.#byName?.delete(attempt.name);
    this.#giveUp(attempt);
  }

  #giveUp(attempt: ConnectAttempt): void {
    const { socket } = attempt;
    attempt.isWanted = false;
    if (attempt.isJoined) this.#joined--;
    attempt.isJoined = false;
    attempt.socket = undefined;
    this.#packets -= attempt.packets.length;
    this.#bytes -= attempt.bytes;
    attempt.packets.length = 0;
    attempt.bytes = 0;
    socket?._cleanup();
  }

  /** Ends all attempts, because the connection is gone. */
  endAll(): void {
    if (this.#only !== undefined) this.end(this.#only);
    for (const attempt of this.#byName?.values() ?? []) this.end(attempt);
  }

  /** Called with the size of each message, before it is decoded. */
  receive(bytes: number): void {
    this.#incoming += bytes;
  }

  /** Returns the size of the packet that is complete now. */
  takeSize(): number {
    const bytes = this.#incoming;
    this.#incoming = 0;
    return bytes;
  }

  /** Lets a packet wait; returns false if too much waits already. */
  hold(attempt: ConnectAttempt, packet: Packet, bytes: number): boolean {
    if (this.#packets >= MAX_EARLY_PACKETS || this.#bytes >= MAX_EARLY_BYTES) return false;
    attempt.packets.push(packet);
    attempt.bytes += bytes;
    this.#packets++;
    this.#bytes += bytes;
    return true;
  }
}
