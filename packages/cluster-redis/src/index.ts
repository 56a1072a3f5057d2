/** Lets the nodes of a cluster find each other, and broadcast, through Redis or Valkey. @module */
export { RedisError } from "./errors.ts";
export type { RedisErrorCode } from "./errors.ts";
export { redis } from "./redis.ts";
export type { RedisBackend, RedisOptions } from "./redis.ts";
export type { IoredisClient } from "./driver/ioredis.ts";
export type { NodeRedisClient, NodeRedisSubscriber } from "./driver/node-redis.ts";
