export type { TestClock } from "./clock.ts";
export { testServer, TestServer } from "./server.ts";
export type { TestClientOptions, TestServerOptions } from "./server.ts";
