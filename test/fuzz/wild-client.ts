import { FuzzClient } from "./client.ts";
import type { Action } from "./world.ts";

const frames: readonly (string | Buffer)[] = [
  "0{}",
  "1",
  "2",
  "2probe",
  "3",
  "3probe",
  "4",
  "4noise",
  "5",
  "6",
  "7",
  "",
  "bAQIDBA==",
  "b4AQIDBA==",
  Buffer.from([1, 2, 3]),
  Buffer.from([4, 1, 2, 3]),
  Buffer.alloc(0),
];

const bodies: readonly (string | Buffer)[] = [
  "4noise\x1e4noise",
  "4noise\x1e1\x1e4noise",
  "2\x1e".repeat(300) + "2",
  "4a\x1e".repeat(3000),
  "6:4noise1:2",
  "3\x1e2\x1e5\x1e6",
  "10:b4AQIDBA==",
  "bAQIDBA==\x1ebAQ",
  "\x1e",
  "",
  "d=4noise",
  Buffer.from([0, 1, 255, 0x32]),
  Buffer.from([0, 6, 255, 0x34, 0x6e, 0x6f, 0x69, 0x73, 0x65]),
  Buffer.from([1, 4, 255, 4, 1, 2, 3]),
];

/** A client that breaks every rule it can, among moves that keep to them. */
export class WildClient extends FuzzClient {
  override actions(): Action[] {
    const actions = super.actions();
    if (this.sid === "") return actions;
    const { random } = this.world;
    const wild: Action[] = [
      [1, "polls beside the rules", () => this.#stray("GET")],
      [0.4, "posts beside the rules", () => this.#stray(random.pick(["POST", "POST", "PUT"]))],
      [1, "posts garbage", () => this.#stray("POST", this.#mutated(random.pick(bodies)))],
      [this.socket ? 2 : 0, "sends garbage", () => this.frame(this.#mutated(random.pick(frames)))],
      [this.socket ? 0.1 : 0, "sends too much", () => this.frame("4" + this.#tooMuch())],
      [0.1, "posts too much", () => this.#stray("POST", "4" + this.#tooMuch())],
      [1, "opens another WebSocket", () => this.#strayUpgrade()],
      [this.upgrade === "probing" ? 2 : 0, "does not wait", () => this.finishUpgrade()],
      [
        this.upgrade === "none" && this.transport === "polling" ? 1 : 0,
        "upgrades",
        () => this.startUpgrade(),
      ],
      [this.poll ? 0.5 : 0, "aborts its poll", () => this.world.call(() => this.poll?.abort())],
      [this.post ? 1 : 0, "aborts its post", () => this.world.call(() => this.post?.abort())],
    ];
    return [
      ...actions,
      ...wild.map(([weight, name, run]) => [weight, name, () => this.#break(run)] as const),
    ];
  }

  /** From here on it can expect nothing of the server. */
  #break(run: () => void): void {
    this.orderly = false;
    this.left = this.broken = true;
    run();
  }

  /** A request that nobody waits for; it may be trickled, and may be aborted in the middle. */
  #stray(method: string, body: string | Buffer = "4noise"): void {
    const { world } = this;
    const { random, host } = world;
    const transport = random.weighted([
      [10, "polling"],
      [1, "websocket"],
      [1, "webtransport"],
      [1, ""],
    ])!;
    const sid = random.weighted([
      [10, this.sid],
      [1, "unknown"],
      [1, "__proto__"],
      [0.3, ""],
    ])!;
    let url = this.url(transport, sid);
    if (random.chance(0.1)) url = url.replace(/EIO=./, random.pick(["EIO=3", "EIO=4", "EIO=5", ""]));
    const headers: Record<string, string> = random.chance(0.5)
      ? {}
      : { "content-type": "application/octet-stream" };
    if (random.chance(0.1)) headers["origin"] = random.pick(["http://a.example", "\u0000"]);
    const streamed = random.chance(0.5);
    const name = `${method} ${url} of step ${world.trace.length}`;
    world.unanswered.add(name);
    const call = host.request({ method, url, headers, body, streamed });
    const answered = (): void => void world.unanswered.delete(name);
    call.response.then(answered, (error: Error) => {
      if (!/aborted|dropped/.test(error.message)) world.caught(error);
      answered();
    });
    if (streamed && random.chance(0.7)) world.call(() => call.push(Buffer.from("x"), random.chance(0.7)));
    if (streamed || method === "GET" ? random.chance(0.5) : random.chance(0.1))
      world.call(() => call.abort());
    else if (streamed) world.call(() => call.push(Buffer.alloc(0), true));
  }

  #strayUpgrade(): void {
    const { world } = this;
    const { random, host } = world;
    const sid = random.chance(0.9) ? this.sid : "unknown";
    const abort = new AbortController();
    host.connect({ url: this.url("websocket", sid) }, abort.signal).then(
      (socket) => {
        world.sockets.push(socket);
        for (let left = random.below(4); left > 0; left--) {
          const data = this.#mutated(random.pick(frames));
          world.call(() => socket.send(data));
        }
        if (random.chance(0.2)) socket.pause();
        if (random.chance(0.5)) world.call(() => socket.terminate());
      },
      (error: Error) => {
        if (!("response" in error) && error.message !== "aborted") world.caught(error);
      },
    );
    if (random.chance(0.2)) world.call(() => abort.abort());
  }

  #tooMuch(): string {
    return "x".repeat(this.world.limits.maxHttpBufferSize);
  }

  /** Often as it is, else with a few bytes changed. */
  #mutated(data: string | Buffer): string | Buffer {
    const { random } = this.world;
    if (random.chance(0.5)) return data;
    const bytes = Buffer.concat([Buffer.from(data), Buffer.alloc(random.below(3))]);
    for (let left = random.between(1, 3); left > 0 && bytes.length > 0; left--) {
      bytes[random.below(bytes.length)] = random.chance(0.5)
        ? random.below(256)
        : random.pick([0x1e, 0x30, 0x3a, 0xff]);
    }
    return typeof data === "string" ? bytes.toString() : bytes;
  }
}
