export * from "./dist/context/client.js";
