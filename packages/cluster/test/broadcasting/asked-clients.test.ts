import assert from "node:assert/strict";
import { AskedClients } from "../../src/broadcasting/asked-clients.ts";
import { Queue } from "../../../../test/support/waiting/queue.ts";

describe("clients that were asked by other nodes", () => {
  it("are forgotten when their asker does not wait any more, also if what it says is lost", async () => {
    const asked = new AskedClients();
    const forgotten = new Queue<string>("a question to be forgotten");
    const add = (asker: string, question: number, ms: number): void =>
      asked.add(asker, question, () => forgotten.push(`${asker} ${question}`), ms);
    add("A", 1, 60_000);
    add("A", 2, 60_000);
    add("A", 3, 60_000);
    add("B", 1, 60_000);
    add("B", 2, 1);
    asked.delete("A", 1);
    asked.forget("A", 1);
    asked.forget("A", 2);
    asked.forgetAll("A");
    assert.deepEqual(await forgotten.take(3), ["A 2", "A 3", "B 2"]);
    asked.forget("B", 2);
    asked.forgetAll("B");
    assert.deepEqual(await forgotten.take(1), ["B 1"]);
    assert.deepEqual(forgotten.pending, []);
  });
});
