import inspector from "./dist/index.js";

export const { inspect } = inspector;
