import { fileURLToPath } from "node:url";

/** @type {import("next").NextConfig} */
export default {
  // Dependencies are in the folder of the whole repository.
  turbopack: { root: fileURLToPath(new URL("../..", import.meta.url)) },
};
