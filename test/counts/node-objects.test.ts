// Hosts without Node.js requests create them for middlewares on demand only: they cost more than a poll.
import assert from "node:assert/strict";
import { CollectedExchange } from "../../packages/engine/src/host/copied/collected-exchange.ts";
import { CopiedRequest } from "../../packages/engine/src/host/copied/request.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { closing } from "../support/waiting/closing.ts";
import { countingHosts } from "./support/counting-hosts.ts";

/** Counts the calls of a getter, until the end of the scope. */
function countGets(prototype: object, name: string): { readonly count: number } & Disposable {
  const original = Object.getOwnPropertyDescriptor(prototype, name)!;
  const counter = { count: 0 };
  Object.defineProperty(prototype, name, {
    ...original,
    get(this: unknown): unknown {
      counter.count++;
      return original.get!.call(this);
    },
  });
  return Object.assign(
    counter,
    closing(() => void Object.defineProperty(prototype, name, original)),
  );
}

onEveryHost("objects of Node", countingHosts, (host) => {
  it("none for a handshake, a poll and a POST", async () => {
    await using server = await host.start();
    using messages = countGets(CopiedRequest.prototype, "message");
    using responses = countGets(CollectedExchange.prototype, "response");
    await server.openPolling();
    assert.deepEqual([messages.count, responses.count], [0, 0]);
  });
});
