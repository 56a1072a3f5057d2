import { connect } from "node:tls";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Check } from "../check.ts";
import { note, ok, skipped, wrong } from "../finding.ts";
import type { Fix } from "../finding.ts";
import { explained, NoAnswer } from "../requests.ts";

const DAY = 86_400_000;
/** Certificates are renewed long before that. */
const SOON = 14;

const RENEW: readonly Fix[] = [
  { where: "nginx", lines: ["ssl_certificate fullchain.pem; # renew it, such as with: certbot renew"] },
  {
    where: "HAProxy",
    lines: ["bind :443 ssl crt site.pem # the certificate, its chain and its key; renew it"],
  },
  { where: "Apache", lines: ["SSLCertificateFile fullchain.pem # renew it, such as with: certbot renew"] },
];

const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "The certificate has expired.",
  CERT_NOT_YET_VALID: "The certificate is not valid yet. Is the clock of this machine right?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "The certificate is signed by nobody but itself, so browsers refuse it.",
  SELF_SIGNED_CERT_IN_CHAIN: "The chain ends in a certificate that this machine does not trust.",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "The server does not send the intermediate certificates.",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "The server does not send the intermediate certificates.",
  ERR_TLS_CERT_ALTNAME_INVALID: "The certificate is for another name.",
};

export const certificate: Check = {
  name: "certificate",
  needs: ["reachable"],
  async run({ options: { url, timeout } }) {
    if (url.protocol === "http:") return skipped("the address begins with http:");
    const { peer, problem } = await inspect(url, timeout);
    const until = new Date(peer.valid_to);
    const days = Math.floor((until.getTime() - Date.now()) / DAY);
    const found = `for ${peer.subjectaltname ?? String(peer.subject.CN)}, until ${until.toISOString().slice(0, 10)}`;
    if (problem !== undefined) return wrong(found, MEANINGS[problem] ?? problem, RENEW);
    if (days < SOON) return note(found, `The certificate expires in ${days} days.`, RENEW);
    return ok(found);
  },
};

function inspect(url: URL, timeout: number): Promise<{ peer: PeerCertificate; problem: string | undefined }> {
  return new Promise((resolve, reject) => {
    const { hostname } = url;
    const host = hostname.replace(/^\[|\]$/g, "");
    // A name for the server is not allowed to be an address.
    const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    const socket: TLSSocket = connect(
      { host, port: Number(url.port || 443), rejectUnauthorized: false, ...name },
      () => {
        // The type says Error, Node assigns the code.
        const code: unknown = socket.authorizationError;
        const problem = socket.authorized ? undefined : code instanceof Error ? codeOf(code) : String(code);
        resolve({ peer: socket.getPeerCertificate(), problem });
        socket.destroy();
      },
    );
    socket.setTimeout(timeout, () => socket.destroy(new NoAnswer(`no TLS within ${timeout / 1000} s`)));
    socket.once("error", (error) => reject(explained(error, url)));
  });
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
