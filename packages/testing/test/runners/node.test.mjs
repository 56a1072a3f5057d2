import assert from "node:assert/strict";
import { test } from "node:test";
import { testServer } from "@tidewire/testing";
import { application } from "./application.cjs";

void test("an application answers, and follows the clock", async () => {
  const server = await testServer(application, { clock: "manual" });
  const client = await server.connect();
  const ticks = [];
  client.on("tick", (at) => ticks.push(at));
  assert.equal(await client.emitWithAck("echo", "hello"), "hello");
  await server.clock.advance(2000);
  assert.deepEqual(ticks, [1000, 2000]);
  await server.close();
});
