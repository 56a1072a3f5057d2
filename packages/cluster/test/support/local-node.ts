// A node of a local cluster, alone in its process: `fork(…, [directory, JSON of its greeting])`. It sends what happens.
import { internals } from "@tidewire/engine";
import { LocalNetwork } from "../../src/local.ts";
import { Members } from "../../src/members.ts";

const [directory = "", greeting = "{}"] = process.argv.slice(2);

const members = new Members(
  new internals.NodeEventLoop(),
  JSON.parse(greeting) as ConstructorParameters<typeof Members>[1],
);
const network = new LocalNetwork(members, directory, (error) => report("error", error.message));

function report(event: string, id: string): void {
  if (process.connected) process.send?.({ event, id });
}

members.on("join", (id) => report("join", id));
members.on("leave", (id) => report("leave", id));
members.on("renew", (id) => report("renew", id));
network.start().then(
  () => report("ready", members.self),
  (error: Error) => report("failed", error.message),
);
process.on("message", (message) => {
  if (message === "block") {
    for (const end = Date.now() + 2000; Date.now() < end;);
    report("blocked", members.self);
    return;
  }
  network.stop();
  members.leave();
  process.disconnect();
});
