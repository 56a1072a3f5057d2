import "./dist/index.js";
