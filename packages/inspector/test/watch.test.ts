import assert from "node:assert/strict";
import { createHook, executionAsyncId } from "node:async_hooks";
import { EventEmitter } from "node:events";
import type { Socket } from "@tidewire/server";
import { internals, Server } from "@tidewire/server";
import { Watch } from "../src/watching/watch.ts";

/** The socket of a page, of which so much waits. */
class PageSocket extends EventEmitter {
  readonly sent: string[] = [];
  readonly handshake = { address: "127.0.0.1" };
  bufferedAmount = 0;
  onSent: (event: string) => void = () => {};

  override emit(event: string, ...args: unknown[]): boolean {
    if (event === "disconnect") return super.emit(event, ...args);
    this.sent.push(event);
    this.onSent(event);
    return true;
  }
}

function watch(): { watch: Watch; join: () => PageSocket } {
  const io = new Server();
  const started = new Watch({
    io,
    view: internals.viewOf(io),
    readonly: true,
    greeting: () => ({ readonly: true, pid: 1, hostname: "", node: "", host: "" }),
  });
  return {
    watch: started,
    join: () => {
      const page = new PageSocket();
      started.add(page as unknown as Socket);
      return page;
    },
  };
}

describe("Watch", () => {
  it("has no timer any more when its only page is ended by what is sent to it", async () => {
    const { watch: watched, join } = watch();
    const page = join();
    let tick = 0;
    let timers = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === "Timeout" && executionAsyncId() === tick) timers++;
      },
    });
    await new Promise<void>((resolve) => {
      page.onSent = () => {
        tick = executionAsyncId();
        hook.enable();
        page.emit("disconnect");
        setImmediate(resolve);
      };
    });
    hook.disable();
    assert.equal(watched.size, 0);
    assert.equal(timers, 0);
  });

  it("sends nothing to a page for which too much waits", async () => {
    const { join } = watch();
    const [slow, other] = [join(), join()];
    slow.bufferedAmount = 2_000_000;
    const before = slow.sent.length;
    await new Promise<void>((resolve) => (other.onSent = () => resolve()));
    assert.equal(slow.sent.length, before);
    for (const page of [slow, other]) page.emit("disconnect");
  });
});
