// What a backend does, over a real PostgreSQL, with what applications have.
import { describeBackend } from "../../../test/support/backends/backend-suite.ts";
import { PostgresServer, describeWithPostgres } from "../../../test/support/postgres/postgres-server.ts";
import { clients } from "./clients.ts";

describeWithPostgres("a backend over PostgreSQL", () => {
  for (const [index, [name, connect]] of Object.entries(clients).entries()) {
    describeBackend(`with a ${name} of pg`, {
      serve: () => PostgresServer.start(),
      connect,
      isBrief: index > 0,
    });
  }
});
