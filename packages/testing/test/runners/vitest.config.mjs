export default {
  test: {
    include: ["vitest.test.mjs"],
    // An installed package is in node_modules, and is not transformed. Here it is a link to the workspace.
    server: { deps: { external: [/\/(?:dist|wrapper)\b/] } },
  },
};
