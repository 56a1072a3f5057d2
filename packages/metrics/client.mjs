import client from "./dist/context/client.js";

export const { carryContext } = client;
