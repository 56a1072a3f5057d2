/** Creates the table of nodes. What is in it may be lost: nodes enter themselves again. */
export function createTable(table: string): string {
  return `
CREATE UNLOGGED TABLE IF NOT EXISTS ${table} (
  cluster text NOT NULL,
  id text NOT NULL,
  epoch text NOT NULL,
  address text NOT NULL,
  ends timestamptz NOT NULL,
  PRIMARY KEY (cluster, id)
)`;
}

/**
 * Renews the lease of a node, unless another one has its id, and returns the nodes that can be found, in one statement.
 *
 * One row per id says when its lease ends, by the clock of the server, the epoch of its node, and its address, which is empty once the
 * node has left: nobody else takes the id before the lease ends. All parts of the statement see the table as it was before. Rows that
 * somebody else is writing are left to the next time, for two nodes must not wait for each other.
 *
 *     $1       the cluster
 *     $2       the lease in ms
 *     $3 - $5  of a node that has an id: the id, its epoch, its address; otherwise null
 *     $6       the channel of changes
 *     returns  hasId, and nodes: [id, address][] as JSON; the rest is for its effect
 */
export function renewLease(table: string): string {
  return `
WITH renewed AS (
  INSERT INTO ${table} AS node (cluster, id, epoch, address, ends)
  SELECT $1::text, $3::text, $4::text, $5::text, now() + $2::int * interval '1 ms'
  WHERE $3::text IS NOT NULL
  ON CONFLICT (cluster, id) DO UPDATE
  SET epoch = excluded.epoch, address = excluded.address, ends = excluded.ends
  WHERE node.epoch = excluded.epoch OR node.ends < now()
  RETURNING id
), ended AS (
  DELETE FROM ${table} WHERE (cluster, id) IN (
    SELECT cluster, id FROM ${table} WHERE ends < now() AND NOT (cluster = $1::text AND id IS NOT DISTINCT FROM $3::text)
    FOR UPDATE SKIP LOCKED
  )
), found AS (
  SELECT id, epoch, address FROM ${table} WHERE cluster = $1::text AND ends >= now()
)
SELECT
  EXISTS (SELECT FROM renewed) AS "hasId",
  (SELECT coalesce(json_agg(json_build_array(id, address)), '[]') FROM found WHERE address <> '')::text AS nodes,
  (SELECT pg_notify($6::text, '') FROM renewed WHERE NOT EXISTS (
    SELECT FROM found WHERE id = $3::text AND epoch = $4::text AND address = $5::text
  ))::text AS notified`;
}

/**
 * Notifies many channels. The same payload in the same channel would arrive once. Lists of texts without commas are cheaper than
 * arrays, whose every text the client has to quote.
 *
 *     $1  the channels, with commas between them
 *     $2  as many payloads
 */
export const NOTIFY = `
SELECT count(pg_notify(channel, payload))
FROM unnest(string_to_array($1::text, ','), string_to_array($2::text, ',')) AS sent (channel, payload)`;
