// What a backend does, over a real Redis, with the clients that applications have.
import { describeBackend } from "../../../test/support/backends/backend-suite.ts";
import { LEASE } from "../../../test/support/backends/node.ts";
import { RedisServer, describeWithRedis } from "../../../test/support/redis/redis-server.ts";
import { redis } from "../src/redis.ts";
import { clients } from "./clients.ts";

describeWithRedis("a backend over Redis", () => {
  for (const [index, [name, connect]] of Object.entries(clients).entries()) {
    describeBackend(`with the client of ${name}`, {
      serve: () => RedisServer.start(),
      connect: async (port, lease = LEASE) => {
        const client = await connect(`redis://127.0.0.1:${port}`);
        return {
          backend: redis({ client: client.client, lease }),
          [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
        };
      },
      isBrief: index > 0,
    });
  }
});
