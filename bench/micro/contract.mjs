// Checks an event against a contract, compared with what it takes to decode it.
import { defineContract } from "@tidewire/contract";
import { bench, do_not_optimize, group } from "mitata";
import { z } from "zod";
import { payload } from "../harness/payload.mjs";

const { fromClients } = defineContract({
  clientToServer: {
    text: [z.string().max(100)],
    order: { args: [z.object({ item: z.string(), count: z.number().int().positive() })], ack: z.string() },
  },
  serverToClient: {},
});
const text = [payload(1)];
const order = [{ item: "tea", count: 1 }];

group("check an event with zod", () => {
  bench("a text of 64 bytes", () => do_not_optimize(fromClients.check("text", text, false)));
  bench("an object with two members", () => do_not_optimize(fromClients.check("order", order, true)));
});
