export * from "./dist/context/server.js";
