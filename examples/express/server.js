// A wall of notes: what is posted over HTTP reaches every open page. PORT sets the port (3000).
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import express from "express";
import helmet from "helmet";
import { wall } from "./wall.js";

const port = Number(process.env.PORT || 3000);
const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

const app = express();
const httpServer = createServer(app);
const io = new Server(httpServer);

// One middleware for both: Express sees the requests of pages, and the engine those of Socket.IO.
const headers = helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } });
app.use(headers);
io.engine.use(headers);

app.use(express.json());
app.use(express.static(folder("public")), express.static(folder("../shared")));
wall(app, io);

httpServer.listen(port, () => console.log(`The wall is at http://localhost:${port}`));
