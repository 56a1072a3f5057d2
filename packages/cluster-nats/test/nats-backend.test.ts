// What a backend does, over a real NATS, with the clients that applications have.
import { describeBackend } from "../../../test/support/backends/backend-suite.ts";
import { NatsServer, describeWithNats } from "../../../test/support/nats/nats-server.ts";
import { clients } from "./clients.ts";

describeWithNats("a backend over NATS", () => {
  for (const [index, [name, connect]] of Object.entries(clients).entries()) {
    describeBackend(`with the client of ${name}`, {
      serve: () => NatsServer.start(),
      connect,
      isBrief: index > 0,
    });
  }
});
