/**
 * Leaves out the client's offers of permessage-deflate that ask for a smaller window than the server can keep to
 * (`server_max_window_bits`, RFC 7692, section 7.1.2.1), so that another offer is accepted, or none.
 *
 * @param offers - the value of `Sec-WebSocket-Extensions`
 * @param fewest - base-two logarithm of the smallest window that the server can keep to
 */
export function acceptableOffers(offers: string, fewest: number): string {
  if (!/server_max_window_bits/i.test(offers)) return offers;
  return offers
    .split(",")
    .filter((offer) => {
      const bits = /;[ \t]*server_max_window_bits[ \t]*(?:=[ \t]*"?(\d+)"?)?/i.exec(offer);
      return bits === null || Number(bits[1]) >= fewest;
    })
    .join(",")
    .trim();
}
