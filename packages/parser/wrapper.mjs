import parser from "./dist/index.js";
