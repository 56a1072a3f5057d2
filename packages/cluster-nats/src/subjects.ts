/**
 * Returns what the subjects of a cluster begin with. Dots divide subjects into words, and may not meet, so those in the cluster's name
 * become colons, which it cannot have.
 */
export function subjectOf(prefix: string, cluster: string): string {
  return `${prefix}.${cluster.replaceAll(".", ":")}`;
}
