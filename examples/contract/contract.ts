// The events of both ends. Server and client import this file.
import { defineContract } from "@tidewire/contract";
import { z } from "zod";

const boat = z.object({ name: z.string().min(1).max(40), length: z.number().positive().max(400) });
const berth = z.object({ berth: z.number().int() });

export const contract = defineContract({
  clientToServer: {
    "boat:arrive": { args: [boat], ack: berth },
    "boat:leave": [berth],
  },
  serverToClient: {
    "berth:taken": [berth.extend({ name: z.string() })],
    "berth:free": [berth],
  },
  data: z.object({ berths: z.array(z.number()) }),
});
