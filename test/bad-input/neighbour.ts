import assert from "node:assert/strict";
import { openWebSocket } from "../support/engine/peers.ts";
import type { WebSocketPeer } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

/** A session that exchanges echoes while another client misbehaves. */
export class Neighbour implements AsyncDisposable {
  readonly #peer: WebSocketPeer;
  #closed = false;
  #stopped = false;
  #echoes = 0;
  readonly #loop: Promise<void>;

  private constructor(peer: WebSocketPeer) {
    this.#peer = peer;
    peer.session.on("message", (data: string) => peer.session.send(data));
    peer.session.on("close", () => (this.#closed = true));
    this.#loop = this.#run();
    // checked in sawNothing()
    this.#loop.catch(() => {});
  }

  static async of(server: StartedEngine): Promise<Neighbour> {
    return new Neighbour(await openWebSocket(server));
  }

  get id(): string {
    return this.#peer.session.id;
  }

  /** Stops, and asserts that it received all echoes, and nothing else. */
  async sawNothing(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    await this.#echo();
    assert.ok(this.#echoes > 1);
    assert.equal(this.#closed, false);
    assert.deepEqual(this.#peer.socket.pending, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#loop.catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#echo();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #echo(): Promise<void> {
    const { socket } = this.#peer;
    const message = `4echo ${++this.#echoes}`;
    socket.sendText(message);
    for (;;) {
      const packet = await socket.next();
      if (packet === message) return;
      assert.equal(packet, "2", "nothing but echoes and pings");
      socket.sendText("3");
    }
  }
}
