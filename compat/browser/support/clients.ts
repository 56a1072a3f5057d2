import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isFull } from "../../support/cell.ts";

const require = createRequire(import.meta.url);

/** An official client as it is published for browsers. */
export interface Client {
  /** As the table names it. */
  readonly version: string;
  /** Where the pages of these tests find it. */
  readonly path: string;
  readonly file: string;
  readonly module: boolean;
  /** The version of the Engine.IO protocol. */
  readonly protocol: 3 | 4;
}

const umd2 = bundle("socket.io-client-v2", "socket.io.js", 3);
const umd3 = bundle("socket.io-client-v3", "socket.io.min.js", 4);
const umd4 = bundle("socket.io-client", "socket.io.min.js", 4, "UMD");
const esm4 = bundle("socket.io-client", "socket.io.esm.min.js", 4, "ESM");

/** The clients with the default parser, oldest first. Only version 4 is published as an ES module for browsers. */
export const clients: readonly Client[] = [umd2, umd3, umd4, esm4];

/** The client that new pages use. */
export const latest: Client = esm4;

/** Those whose code differs: the bundles of version 4 are the same but for the way they are loaded. */
export const codes: readonly Client[] = isFull ? clients : [umd2, umd3, esm4];

/** Clients with the MessagePack parser. */
export const msgpackClients: readonly Client[] = [
  bundle("socket.io-client-v3", "socket.io.msgpack.min.js", 4, "msgpack"),
  bundle("socket.io-client", "socket.io.msgpack.min.js", 4, "msgpack"),
];

function bundle(name: string, file: string, protocol: 3 | 4, kind = ""): Client {
  const folder = dirname(require.resolve(`${name}/package.json`));
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return {
    version: kind === "" ? version : `${version} (${kind})`,
    path: `/client/${version}/${file}`,
    file: join(folder, "dist", file),
    module: file.includes(".esm."),
    protocol,
  };
}
