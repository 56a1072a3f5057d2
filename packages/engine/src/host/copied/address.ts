/** Formats the 4 or 16 bytes of an address as Node does. */
export function formatAddress(bytes: ArrayBuffer): string {
  const view = new DataView(bytes);
  if (view.byteLength === 4) return formatIPv4(view, 0);
  if (view.byteLength !== 16) return "";
  if (view.getUint32(0) === 0 && view.getUint32(4) === 0 && view.getUint32(8) === 0xffff) {
    return formatIPv4(view, 12, "::ffff:");
  }
  return formatIPv6(view);
}

/** The last address of IPv4 that was formatted. Clients often have the same: that of their proxy. */
let last: { readonly number: number; readonly prefix: string; readonly text: string } | undefined;

/** Joins the parts, because sessions keep the string: a template literal would keep a tree of its parts. */
function formatIPv4(view: DataView, at: number, prefix: string = ""): string {
  const number = view.getUint32(at);
  if (last?.number === number && last.prefix === prefix) return last.text;
  const parts = [view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3)];
  const text = prefix === "" ? parts.join(".") : [prefix, parts.join(".")].join("");
  last = { number, prefix, text };
  return text;
}

/** RFC 5952: in lower case, with the longest run of zero groups shortened. */
function formatIPv6(view: DataView): string {
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && view.getUint16(end * 2) === 0) end++;
    if (end - start > bestLength) {
      best = start;
      bestLength = end - start;
    }
  }
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16));
  if (best === -1) return groups.join(":");
  return `${groups.slice(0, best).join(":")}::${groups.slice(best + bestLength).join(":")}`;
}
