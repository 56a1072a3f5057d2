import contract from "./dist/index.js";

export const { defineContract } = contract;
