import { expect, test } from "vitest";
import { testServer } from "@tidewire/testing";
import { application } from "./application.cjs";

test("an application answers, and follows the clock", async () => {
  const server = await testServer(application, { clock: "manual" });
  const client = await server.connect();
  const ticks = [];
  client.on("tick", (at) => ticks.push(at));
  expect(await client.emitWithAck("echo", "hello")).toBe("hello");
  await server.clock.advance(2000);
  expect(ticks).toEqual([1000, 2000]);
  await server.close();
});
