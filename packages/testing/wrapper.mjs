import testing from "./dist/index.js";

export const { testServer, TestServer } = testing;
