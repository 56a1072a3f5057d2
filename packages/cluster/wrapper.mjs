import main from "./dist/index.js";

export const { ClusterError, LeasedDiscovery, cluster, dns, internals } = main;
