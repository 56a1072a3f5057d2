import type { OutgoingHttpHeaders } from "node:http";

export interface MemoryResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string | string[]>;
  body: Buffer;
}

export function toResponse(
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer,
): MemoryResponse {
  const lower: MemoryResponse["headers"] = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) lower[name.toLowerCase()] = Array.isArray(value) ? value : String(value);
  }
  return { status, headers: lower, body: Buffer.from(body) };
}
