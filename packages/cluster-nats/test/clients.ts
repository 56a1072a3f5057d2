import { connect as connectTransport } from "@nats-io/transport-node";
import { connect as connectNats } from "nats";
import { LEASE } from "../../../test/support/backends/node.ts";
import type { Connect, Connected } from "../../../test/support/backends/node.ts";
import { nats } from "../src/nats.ts";

/** How applications connect, by the package that they use. */
export const clients: Readonly<Record<string, Connect>> = {
  nats: async (port, lease) => connected(await connectNats(options(port)), lease),
  "@nats-io/transport-node": async (port, lease) => connected(await connectTransport(options(port)), lease),
};

type Connection = Awaited<ReturnType<typeof connectNats>> | Awaited<ReturnType<typeof connectTransport>>;

function options(port: number) {
  return { port, maxReconnectAttempts: -1, reconnectTimeWait: 100 };
}

function connected(connection: Connection, lease: number = LEASE): Connected {
  return {
    backend: nats({ connection, lease }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
