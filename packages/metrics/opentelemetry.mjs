import opentelemetry from "./dist/context/server.js";

export const { carryContext } = opentelemetry;
