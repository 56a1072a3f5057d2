import main from "./dist/index.js";

export const { PostgresError, postgres } = main;
