import assert from "node:assert/strict";
import { gunzipSync, inflateSync } from "node:zlib";
import type { EngineOptions } from "../support/engine/types.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { PollingPeer } from "../support/engine/peers.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";
import type { WireResponse } from "../support/wire/client.ts";

/** The answer to a poll that finds one message of that many bytes. */
async function pollOne(server: StartedEngine, accepts: string, bytes: number): Promise<WireResponse> {
  const peer = await PollingPeer.open(server);
  peer.session.send("x".repeat(bytes - 1));
  return peer.get({ headers: { "accept-encoding": accepts } });
}

function unpacked({ headers, raw }: WireResponse): string {
  const encoding = headers["content-encoding"];
  if (encoding === "gzip") return gunzipSync(raw).toString();
  if (encoding === "deflate") return inflateSync(raw).toString();
  assert.equal(encoding, undefined);
  return raw.toString();
}

const accepted: [accepts: string, encoding: string | undefined][] = [
  ["gzip", "gzip"],
  ["deflate", "deflate"],
  ["gzip, deflate, br", "gzip"],
  ["gzip;q=0.1, deflate;q=0.9", "deflate"],
  ["*", "gzip"],
  ["br", undefined],
  ["identity", undefined],
  ["gzip;q=0", undefined],
];

onEveryHost("engine: httpCompression", engineHosts, (host) => {
  for (const [accepts, encoding] of accepted) {
    host.it(`answers ${encoding ?? "uncompressed"} to Accept-Encoding: ${accepts}`, async () => {
      await using server = await host.start();
      const response = await pollOne(server, accepts, 3_000);
      assert.equal(response.headers["content-encoding"], encoding);
      assert.equal(unpacked(response), `4${"x".repeat(2_999)}`);
    });
  }

  host.it("sends the headers of an uncompressed answer, and the encoding", async () => {
    await using server = await host.start();
    const { status, headers } = await pollOne(server, "gzip", 3_000);
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(headers["cache-control"], "no-store");
  });

  host.it("compresses from 1024 bytes on", async () => {
    await using server = await host.start();
    assert.equal((await pollOne(server, "gzip", 1_023)).headers["content-encoding"], undefined);
    assert.equal((await pollOne(server, "gzip", 1_024)).headers["content-encoding"], "gzip");
  });

  host.it("compresses from the configured threshold on", async () => {
    await using server = await host.start({ httpCompression: { threshold: 300 } });
    assert.equal((await pollOne(server, "gzip", 299)).headers["content-encoding"], undefined);
    assert.equal((await pollOne(server, "gzip", 300)).headers["content-encoding"], "gzip");
  });

  host.it("counts the bytes of the whole payload", async () => {
    await using server = await host.start({ httpCompression: { threshold: 300 } });
    const peer = await PollingPeer.open(server);
    for (let index = 0; index < 3; index++) peer.session.send("ü".repeat(50));
    const response = await peer.get({ headers: { "accept-encoding": "gzip" } });
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.equal(
      unpacked(response),
      Array(3)
        .fill(`4${"ü".repeat(50)}`)
        .join("\x1e"),
    );
  });

  host.it("compresses a payload if one of its packets asks for it", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    peer.session.send("x".repeat(2_000), { compress: false });
    peer.session.send("y");
    const response = await peer.get({ headers: { "accept-encoding": "gzip" } });
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.equal(unpacked(response), `4${"x".repeat(2_000)}\x1e4y`);
  });

  host.it("passes its options to zlib", async () => {
    const httpCompression: EngineOptions["httpCompression"] = { threshold: 0, level: 0 };
    await using server = await host.start({ httpCompression });
    const response = await pollOne(server, "gzip", 3_000);
    assert.equal(response.headers["content-encoding"], "gzip");
    assert.ok(response.raw.length > 3_000, "stored, not compressed");
  });

  host.it("compresses no answer to a POST", async () => {
    await using server = await host.start({ httpCompression: { threshold: 0 } });
    const peer = await PollingPeer.open(server);
    const response = await peer.post("4x", { headers: { "accept-encoding": "gzip" } });
    assert.equal(response.headers["content-encoding"], undefined);
    assert.equal(response.body, "ok");
  });

  host.it("lets listeners of headers add to a compressed answer", async () => {
    await using server = await host.start();
    server.engine.on("headers", (headers: Record<string, string>) => {
      headers["x-every"] = String(headers["Content-Encoding"]);
    });
    assert.equal((await pollOne(server, "gzip", 3_000)).headers["x-every"], "gzip");
  });

  host.it("serves the next poll during and after compression", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const headers = { "accept-encoding": "gzip" };
    for (let index = 0; index < 5; index++) {
      peer.session.send(`${index}`.repeat(50_000));
      assert.equal(unpacked(await peer.get({ headers })), `4${`${index}`.repeat(50_000)}`);
    }
  });

  const title = "has the default threshold with true and with {}";
  host.it(title, async () => {
    for (const httpCompression of [true, {}]) {
      await using server = await host.start({ httpCompression: httpCompression as never });
      assert.equal((await pollOne(server, "gzip", 1_023)).headers["content-encoding"], undefined);
      assert.equal((await pollOne(server, "gzip", 1_024)).headers["content-encoding"], "gzip");
    }
  });
});
