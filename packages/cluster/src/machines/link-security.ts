import { constants, hkdfSync } from "node:crypto";
import type { ConnectionOptions, PeerCertificate, SecureContextOptions, TlsOptions } from "node:tls";
import { ClusterError } from "../errors.ts";

/** The shortest secret: whoever makes a connection can try out guesses. */
const SHORTEST_SECRET = 16;

const KEY_LENGTH = 32;

/** Ephemeral keys, so that connections of the past stay secret when the secret becomes known. No suite works without the secret. */
const CIPHERS = "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES256-GCM-SHA384";

/** How long a handshake may take, in ms. */
export const HANDSHAKE_TIMEOUT = 3000;

/** The certificates of the nodes, as options of `node:tls`. */
export interface LinkCertificates extends SecureContextOptions {
  /** The authority that has signed the certificates of all nodes, and of nobody else: whoever has one is let in. */
  ca: NonNullable<SecureContextOptions["ca"]>;
  /**
   * The name in the certificates of the other nodes.
   * @default the host under which they are dialled
   */
  servername?: string;
  /**
   * Checks the certificate of a node that is dialled.
   * @default the check of `node:tls`, which compares the name
   */
  checkServerIdentity?: (hostname: string, certificate: PeerCertificate) => Error | undefined;
}

/** How nodes prove to each other that they belong together. */
export interface LinkCredentials {
  /**
   * The secret of the cluster, the same on all its nodes: at least 16 characters, best 32 random bytes as text. Of several, the first
   * one is used to dial, and all are accepted, so that a secret can be replaced on one node after another.
   * @default none: then `tls` is needed
   */
  secret?: string | readonly string[];
  /**
   * Certificates instead of a secret.
   * @default none: then `secret` is needed
   */
  tls?: LinkCertificates;
}

/** The options of `node:tls` for both ends of a link. */
export interface LinkSecurity {
  readonly server: TlsOptions;
  readonly client: ConnectionOptions;
}

/** @throws ClusterError (`NO_SECRET`, `SHORT_SECRET`, `NO_AUTHORITY`) */
export function linkSecurity({ secret, tls }: LinkCredentials): LinkSecurity {
  if (tls !== undefined) return withCertificates(tls);
  const secrets = secret === undefined || typeof secret === "string" ? [secret ?? ""] : secret;
  return withSecrets(secrets);
}

function withSecrets(secrets: readonly string[]): LinkSecurity {
  const keys = secrets.map(derive);
  const [first] = keys;
  if (first === undefined) throw new ClusterError("NO_SECRET");
  const byIdentity = new Map(keys.map(({ identity, psk }) => [identity, psk]));
  const common = {
    // The suites of 1.3 do not demand the key: a certificate would do in its place.
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ciphers: CIPHERS,
    // A ticket would outlive the ephemeral keys.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
  return {
    server: {
      ...common,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      pskCallback: (_socket, identity) => byIdentity.get(identity) ?? null,
    },
    client: {
      ...common,
      pskCallback: () => first,
      // There is no certificate, and who does not have the key does not get here.
      checkServerIdentity: () => undefined,
    },
  };
}

function derive(secret: string): { identity: string; psk: Buffer } {
  if (secret === "") throw new ClusterError("NO_SECRET");
  if (secret.length < SHORTEST_SECRET) throw new ClusterError("SHORT_SECRET");
  const expand = (info: string, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", secret, "tidewire links", info, length));
  return { identity: expand("identity", 12).toString("base64url"), psk: expand("key", KEY_LENGTH) };
}

function withCertificates({ servername, checkServerIdentity, ...context }: LinkCertificates): LinkSecurity {
  if (context.ca === undefined) throw new ClusterError("NO_AUTHORITY");
  return {
    server: {
      ...context,
      secureOptions: (context.secureOptions ?? 0) | constants.SSL_OP_NO_TICKET,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
    },
    client: {
      ...context,
      rejectUnauthorized: true,
      ...(servername === undefined ? {} : { servername }),
      ...(checkServerIdentity === undefined ? {} : { checkServerIdentity }),
    },
  };
}
