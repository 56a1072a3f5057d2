import type { ListenOptions, Server } from "node:net";

/**
 * Binds a port or a unix socket of this process alone, also in a worker of `node:cluster`, whose primary would share it.
 *
 * @returns rejected if it cannot be bound
 */
export function listenAlone(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...where, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
