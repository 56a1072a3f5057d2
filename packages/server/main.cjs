"use strict";
// What `require()` gives: a function that makes a server, and the classes beside it.
const { Server, Namespace, Socket, internals } = require("./dist/index.js");

module.exports = (srv, opts) => new Server(srv, opts);
Object.assign(module.exports, { Server, Namespace, Socket, internals });
