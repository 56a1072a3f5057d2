import main from "./dist/index.js";

export const { RedisError, redis } = main;
