import assert from "node:assert/strict";
import { framed } from "../engine/legacy-peers.ts";
import { within } from "../waiting/queue.ts";
import { called, form, formOf } from "../wire/jsonp.ts";
import type { NetworkClient } from "../wire/network-client.ts";

/** A client of Socket.IO 2 on JSONP, as old browsers are. Each of its requests has a connection of its own. */
export class JsonpClient {
  readonly #wire: NetworkClient;
  /** Which callback of the page its scripts call. */
  readonly #index: number;
  readonly #path: string;
  #asked = 0;

  private constructor(wire: NetworkClient, index: number, path: string) {
    this.#wire = wire;
    this.#index = index;
    this.#path = path;
  }

  static async open(wire: NetworkClient, index: number): Promise<JsonpClient> {
    const path = `/socket.io/?EIO=3&transport=polling&j=${index}`;
    const { status, body } = await wire.get(path);
    assert.equal(status, 200, body);
    const [open = ""] = packetsOf(called(body, index));
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    return new JsonpClient(wire, index, `${path}&sid=${sid}`);
  }

  /** Emits an event, and resolves with what its acknowledgement brings. */
  async ask(event: string, value: unknown): Promise<unknown> {
    const id = this.#asked++;
    const answer = within(this.#acknowledged(id), `the answer to ${event}`);
    const { status, body } = await this.#wire.request("POST", this.#path, {
      ...form,
      body: formOf(framed(`42${id}${JSON.stringify([event, value])}`)),
    });
    assert.deepEqual([status, body], [200, "ok"]);
    return answer;
  }

  async #acknowledged(id: number): Promise<unknown> {
    const begin = `43${id}`;
    for (;;) {
      const packet = (await this.#poll()).find((each) => each.startsWith(begin));
      if (packet !== undefined) return (JSON.parse(packet.slice(begin.length)) as unknown[])[0];
    }
  }

  async #poll(): Promise<string[]> {
    const { status, body } = await this.#wire.get(this.#path);
    assert.equal(status, 200, body);
    return packetsOf(called(body, this.#index));
  }

  /** Leaves. */
  async close(): Promise<void> {
    await this.#wire.request("POST", this.#path, { ...form, body: formOf(framed("1")) });
  }
}

/** The packets of a text payload of Engine.IO 3. */
function packetsOf(payload: string): string[] {
  const packets: string[] = [];
  for (let start = 0; start < payload.length;) {
    const colon = payload.indexOf(":", start);
    const end = colon + 1 + Number(payload.slice(start, colon));
    packets.push(payload.slice(colon + 1, end));
    start = end;
  }
  return packets;
}
