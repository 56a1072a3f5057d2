import assert from "node:assert/strict";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { formatAddress } from "../src/host/copied/address.ts";

const of = (...bytes: number[]): string => formatAddress(Uint8Array.from(bytes).buffer);

/** From the eight groups of an IPv6 address. */
const ofGroups = (...groups: number[]): string => of(...groups.flatMap((group) => [group >> 8, group & 255]));

describe("address of a client", () => {
  it("is dotted for four bytes", () => {
    assert.equal(of(127, 0, 0, 1), "127.0.0.1");
    assert.equal(of(255, 255, 255, 255), "255.255.255.255");
    assert.equal(of(0, 0, 0, 0), "0.0.0.0");
  });

  it("is mapped as Node writes it", () => {
    assert.equal(of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1), "::ffff:10.0.0.1");
  });

  for (const [text, ...groups] of [
    ["::", 0, 0, 0, 0, 0, 0, 0, 0],
    ["::1", 0, 0, 0, 0, 0, 0, 0, 1],
    ["1::", 1, 0, 0, 0, 0, 0, 0, 0],
    ["2001:db8::1", 0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
    ["2001:db8:0:1:1:1:1:1", 0x2001, 0xdb8, 0, 1, 1, 1, 1, 1],
    ["2001:0:0:1::1", 0x2001, 0, 0, 1, 0, 0, 0, 1],
    ["2001:db8::1:0:0:1", 0x2001, 0xdb8, 0, 0, 1, 0, 0, 1],
    ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:1", 0x2001, 0xdb8, 0xaaaa, 0xbbbb, 0xcccc, 0xdddd, 0xeeee, 1],
    ["fe80::abc", 0xfe80, 0, 0, 0, 0, 0, 0, 0xabc],
    ["::ffff:0:1:2", 0, 0, 0, 0, 0xffff, 0, 1, 2],
    ["1:0:3:0:5:0:7:0", 1, 0, 3, 0, 5, 0, 7, 0],
  ] as [string, ...number[]][]) {
    it(`is ${text}`, () => {
      assert.equal(ofGroups(...groups), text);
    });
  }

  it("is nothing without an address", () => {
    assert.equal(of(), "");
    assert.equal(of(1, 2, 3), "");
  });

  it("is one that Node reads as the same, whatever the bytes", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const text = ofGroups(...groups);
        assert.ok(isIPv6(text) || isIPv4(text));
        const list = new BlockList();
        list.addAddress(groups.map((part) => part.toString(16)).join(":"), "ipv6");
        assert.ok(list.check(text, "ipv6"));
      }),
    );
  });
});
