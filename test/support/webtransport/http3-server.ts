import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WebTransportSession } from "@tidewire/engine";
import { within } from "../waiting/queue.ts";

/** The used part of `@fails-components/webtransport`, over HTTP/2: its HTTP/3 needs its own binary. */
interface WebTransportModule {
  quicheLoaded: Promise<unknown>;
  Http2Server: new (options: object) => {
    ready: Promise<void>;
    closed: Promise<void>;
    startServer(): void;
    stopServer(): void;
    address(): { port: number } | null;
    sessionStream(path: string): AsyncIterable<WebTransportSession & { ready: Promise<void> }>;
  };
  WebTransport: WebTransportConstructor;
}

export interface ClientWebTransport {
  readonly ready: Promise<void>;
  readonly closed: Promise<{ closeCode?: number; reason?: string }>;
  createBidirectionalStream(): Promise<{
    readable: ReadableStream<Uint8Array>;
    writable: WritableStream<Uint8Array>;
  }>;
  close(info?: { closeCode?: number; reason?: string }): void;
}

/** Bytes that may be under way. Its small defaults are enlarged while it runs, and that stalls. */
const WINDOWS = { initialStreamFlowControlWindow: 2 ** 22, initialSessionFlowControlWindow: 2 ** 22 };

type WebTransportConstructor = new (url: string, options?: object) => ClientWebTransport;

/** It logs that its HTTP/3 part is not installed. */
async function load(): Promise<WebTransportModule> {
  const { log, error } = globalThis.console;
  Object.assign(globalThis.console, { log: () => {}, error: () => {} });
  try {
    const name = "@fails-components/webtransport";
    const module = (await import(name)) as WebTransportModule;
    await module.quicheLoaded;
    await new Promise(setImmediate);
    return module;
  } finally {
    Object.assign(globalThis.console, { log, error });
  }
}

interface Certificate {
  cert: string;
  key: string;
  hash: Buffer;
}

/** Clients trust a certificate by its hash only if it is valid for at most two weeks. */
function createCertificate(): Certificate {
  const directory = mkdtempSync(join(tmpdir(), "webtransport-"));
  try {
    const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
    const kind =
      "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 10 -subj /CN=localhost";
    execFileSync("openssl", [...kind.split(" "), "-keyout", key, "-out", cert], { stdio: "pipe" });
    const text = readFileSync(cert, "utf8");
    const hash = Buffer.from(new X509Certificate(text).fingerprint256.replaceAll(":", ""), "hex");
    return { cert: text, key: readFileSync(key, "utf8"), hash };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Why no WebTransport server can run here; undefined if one can. */
export function whyNoWebTransport(): string | undefined {
  try {
    execFileSync("openssl", ["version"], { stdio: "pipe" });
    import.meta.resolve("@fails-components/webtransport");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A real WebTransport server, and a client that trusts it. `await using` stops it. */
export class WebTransportServer implements AsyncDisposable {
  readonly port: number;
  /** For clients that look for a global `WebTransport`. */
  readonly WebTransport: WebTransportConstructor;
  readonly #stop: () => Promise<void>;

  private constructor(port: number, client: WebTransportConstructor, stop: () => Promise<void>) {
    this.port = port;
    this.WebTransport = client;
    this.#stop = stop;
  }

  /** Passes every session under the path to `take`. */
  static async start(
    path: string,
    take: (session: WebTransportSession) => Promise<void>,
  ): Promise<WebTransportServer> {
    const { Http2Server, WebTransport } = await load();
    const { cert, key, hash } = createCertificate();
    const server = new Http2Server({
      port: 0,
      host: "127.0.0.1",
      secret: "secret",
      cert,
      privKey: key,
      ...WINDOWS,
    });
    server.startServer();
    await within(server.ready, "the WebTransport server");
    void (async () => {
      for await (const session of server.sessionStream(path)) await take(session);
    })();
    const serverCertificateHashes = [{ algorithm: "sha-256", value: hash }];
    class Trusting extends WebTransport {
      constructor(url: string, options: object = {}) {
        super(url, { ...options, ...WINDOWS, serverCertificateHashes, forceReliable: true });
      }
    }
    return new WebTransportServer(server.address()!.port, Trusting, async () => {
      server.stopServer();
      await within(server.closed, "the WebTransport server to stop");
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }
}
