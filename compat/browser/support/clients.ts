import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isFull } from "../../support/cell.ts";

const require = createRequire(import.meta.url);

/** A browser bundle of an official client. */
export interface Client {
  /** The version in the table. */
  readonly version: string;
  /** The path from which the pages of these tests load it. */
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

/** The client that a new page would use. */
export const latest: Client = esm4;

/** In the quick form, only clients with different code: the two bundles of version 4 differ only in how they are loaded. */
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
