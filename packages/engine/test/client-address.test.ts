import assert from "node:assert/strict";
import { addressReader, clientPart } from "../src/limits/client-address.ts";
import type { TrustProxy } from "../src/limits/client-address.ts";
import type { RequestHead } from "../src/host/host.ts";

function addressOf(trust: TrustProxy, remoteAddress: string, headers: RequestHead["headers"]): string {
  return addressReader(trust)({ remoteAddress, headers } as RequestHead);
}

const through = { "x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.2" };

describe("the address that a handshake counts for", () => {
  it("is that of the socket unless a proxy is trusted", () => {
    assert.equal(addressOf(false, "10.0.0.1", through), "10.0.0.1");
    assert.equal(addressOf(0, "10.0.0.1", through), "10.0.0.1");
    assert.equal(addressOf(false, "::ffff:10.0.0.1", {}), "10.0.0.1");
  });

  it("is what as many proxies have named as are trusted: what a client claims itself is further left", () => {
    assert.equal(addressOf(true, "10.0.0.1", through), "10.0.0.2");
    assert.equal(addressOf(1, "10.0.0.1", through), "10.0.0.2");
    assert.equal(addressOf(2, "10.0.0.1", through), "203.0.113.7");
    assert.equal(addressOf(9, "10.0.0.1", through), "6.6.6.6");
    assert.equal(addressOf(1, "10.0.0.1", {}), "10.0.0.1");
  });

  it("is the first one from the right that is not a trusted proxy", () => {
    const proxies = ["10.0.0.0/8", "2001:db8::/32", "::1"];
    assert.equal(addressOf(proxies, "10.0.0.1", through), "203.0.113.7");
    assert.equal(addressOf(proxies, "::ffff:10.0.0.1", through), "203.0.113.7");
    assert.equal(addressOf(proxies, "2001:db8::5", through), "203.0.113.7");
    assert.equal(addressOf(proxies, "9.9.9.9", through), "9.9.9.9");
  });

  it("is read from Forwarded where there is no X-Forwarded-For", () => {
    const forwarded = 'for=6.6.6.6;proto=https, By=x;For="[2001:db8:1::7]:4711"';
    assert.equal(addressOf(1, "10.0.0.1", { forwarded }), "2001:db8:1::7");
    assert.equal(addressOf(2, "10.0.0.1", { forwarded }), "6.6.6.6");
    assert.equal(addressOf(1, "10.0.0.1", { forwarded, "x-forwarded-for": "1.2.3.4:99" }), "1.2.3.4");
  });

  it("stays that of the proxy where it names none", () => {
    for (const forwarded of ["for=unknown", "for=_hidden", "proto=https", ""]) {
      assert.equal(addressOf(1, "10.0.0.1", { forwarded }), "10.0.0.1");
    }
    assert.equal(addressOf(1, "10.0.0.1", { "x-forwarded-for": "nonsense" }), "10.0.0.1");
  });
});

describe("the part of an address that one client has", () => {
  for (const [address, part] of [
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
    ["2001:0DB8::5", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["1:2:3:4::", "1:2:3:4::/64"],
    ["unknown", "unknown"],
  ] as const) {
    it(`of ${address} is ${part}`, () => assert.equal(clientPart(address), part));
  }
});
