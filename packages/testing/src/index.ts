export type { TestClock } from "./test-clock.ts";
export { testServer, TestServer } from "./test-server.ts";
export type { TestClientOptions, TestServerOptions } from "./test-server.ts";
