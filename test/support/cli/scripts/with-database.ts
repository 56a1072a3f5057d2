// A script that keeps a connection to a database open: `with-database.ts <port> [keeps|closes]`. The last argument says what its own
// listener of SIGTERM does with it; without it there is no such listener.
import { connect } from "node:net";
import { Server } from "@tidewire/server";

const [port = "", way] = process.argv.slice(2);
const database = connect(Number(port), "127.0.0.1");
new Server(Number(process.env["PORT"]));
if (way !== undefined)
  process.once("SIGTERM", () => {
    process.stdout.write("was told to end\n");
    if (way !== "closes") return;
    database.end();
    database.once("close", () => process.stdout.write("has closed its database\n"));
  });
