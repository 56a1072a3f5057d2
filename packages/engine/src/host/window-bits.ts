/**
 * Leaves out what the client offers of permessage-deflate on the condition of a smaller window than the server can keep to
 * (`server_max_window_bits`, RFC 7692, section 7.1.2.1): another offer is taken instead, or none.
 *
 * @param offers - the value of `Sec-WebSocket-Extensions`
 * @param fewest - base-two logarithm of the smallest window that the server can be held to
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
