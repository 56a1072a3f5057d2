import { Client, Pool } from "pg";
import { LEASE } from "../../../test/support/backends/node.ts";
import type { Connect } from "../../../test/support/backends/node.ts";
import { postgres } from "../src/postgres.ts";

/** How applications connect. */
export const clients: Readonly<Record<string, Connect>> = {
  Pool: async (port, lease = LEASE) => {
    const pool = new Pool({ ...address(port), max: 2 });
    pool.on("error", () => {});
    return {
      backend: postgres({ pool, lease }),
      [Symbol.asyncDispose]: () => pool.end(),
    };
  },
  Client: async (port, lease = LEASE) => ({
    backend: postgres({ client: () => new Client(address(port)), lease }),
    [Symbol.asyncDispose]: async () => {},
  }),
};

export function address(port: number) {
  return { host: "127.0.0.1", port, user: "test", database: "postgres", connectionTimeoutMillis: 2000 };
}
