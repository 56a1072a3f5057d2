// uWebSockets.js as ultimate-express requires it. Its own package is on GitHub only; the repack of npm that this repository uses cannot be
// required by its name.
module.exports = require("../../../node_modules/uWebSockets.js/dist/uws.mjs").default;
