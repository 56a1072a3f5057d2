import main from "./dist/index.js";

export const { ClusterError, cluster, dns } = main;
