import { connect as connectTransport } from "@nats-io/transport-node";
import { connect as connectNats } from "nats";
import { LEASE } from "../../../test/support/backends/node.ts";
import type { Connected } from "../../../test/support/backends/node.ts";
import { nats } from "../src/nats.ts";

/** How applications connect, by the package that they use. */
export const clients: Readonly<Record<string, (port: number) => Promise<Connected>>> = {
  nats: async (port) => connected(await connectNats(options(port))),
  "@nats-io/transport-node": async (port) => connected(await connectTransport(options(port))),
};

type Connection = Awaited<ReturnType<typeof connectNats>> | Awaited<ReturnType<typeof connectTransport>>;

function options(port: number) {
  return { port, maxReconnectAttempts: -1, reconnectTimeWait: 100 };
}

function connected(connection: Connection): Connected {
  return {
    backend: nats({ connection, lease: LEASE }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
