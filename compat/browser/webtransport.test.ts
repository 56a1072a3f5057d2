import { unsupported } from "../support/cell.ts";
import { onEachHost } from "./support/cells.ts";
import { clients, latest } from "./support/clients.ts";

// test/engine/webtransport-network.test.ts tests WebTransport over HTTP/2.
describe("browser: WebTransport", () => {
  for (const client of clients) {
    onEachHost(client, "webtransport", "over HTTP/3", () => {
      const title = "exchanges events";
      if (!client.version.startsWith("4")) return unsupported(title, "WebTransport came with version 4.7");
      if (client !== latest) return;
      const binary =
        "browsers support WebTransport over HTTP/3 only, and the native part of the HTTP/3 server for Node is not in its npm package: it must be downloaded separately or compiled";
      unsupported(title, binary);
    });
  }
});
