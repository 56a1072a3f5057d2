import main from "./dist/index.js";

export const { NatsError, nats } = main;
