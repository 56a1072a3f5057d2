import assert from "node:assert/strict";
import { acceptableOffers } from "../src/host/window-bits.ts";

describe("offers of permessage-deflate", () => {
  const smaller = "permessage-deflate; server_max_window_bits=10; client_max_window_bits";

  it("stay unchanged if none asks for a smaller server window", () => {
    const offers = "permessage-deflate; client_max_window_bits=9, x-other";
    assert.equal(acceptableOffers(offers, 15), offers);
  });

  it("stay if the server supports it", () => {
    assert.equal(acceptableOffers(smaller, 10), smaller);
  });

  for (const offer of [
    smaller,
    smaller.replace("10", '"10"'),
    smaller.replace("=10", ""),
    smaller.toUpperCase(),
  ]) {
    it(`are left out if it does not: ${offer}`, () => {
      assert.equal(acceptableOffers(`${offer},permessage-deflate`, 15), "permessage-deflate");
    });
  }
});
