// A registry on the loopback interface with only our packages, as they will be published. npm uses it for the scope @tidewire,
// and its configured registry for everything else.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { packageNames, packedManifest, type Packed } from "../../test/packaging/packed.ts";

/** The scope of our packages. */
export const SCOPE = "@tidewire";

export interface Registry {
  readonly url: string;
  close(): void;
}

interface File {
  readonly type: string;
  readonly body: Buffer;
}

/** A hash of the tarballs. */
export function fingerprint({ tarballs }: Packed): string {
  const hash = createHash("sha256");
  for (const name of packageNames) hash.update(readFileSync(tarballs[name]));
  return hash.digest("hex").slice(0, 16);
}

/** Serves the tarballs. */
export async function startRegistry(packed: Packed): Promise<Registry> {
  const files = new Map<string, File>();
  const server = createServer((request, response) => {
    const file = files.get(decodeURIComponent(request.url ?? ""));
    if (file === undefined) return void response.writeHead(404).end("{}");
    response.writeHead(200, { "content-type": file.type, "cache-control": "no-store" }).end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // npm caches responses by URL, and a port can be reused: the path makes the URL unique
  const path = `/${fingerprint(packed)}/`;
  const url = `http://127.0.0.1:${port}${path}`;
  for (const name of packageNames) {
    const tarball = readFileSync(packed.tarballs[name]);
    files.set(`${path}${name}.tgz`, { type: "application/octet-stream", body: tarball });
    const about = describePackage(packedManifest(packed, name), tarball, `${url}${name}.tgz`);
    files.set(`${path}${SCOPE}/${name}`, {
      type: "application/json",
      body: Buffer.from(JSON.stringify(about)),
    });
  }
  return { url, close: () => server.close().closeAllConnections() };
}

/** The registry document of a package with one version. */
function describePackage(
  manifest: { readonly name: string; readonly version: string },
  tarball: Buffer,
  url: string,
): object {
  const { name, version } = manifest;
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, dist: { tarball: url, integrity } } },
  };
}
