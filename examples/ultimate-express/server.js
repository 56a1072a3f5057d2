// The wall of ../express on uWebSockets.js: the API of Express, and Socket.IO on the same app. PORT sets the port (3000).
import { fileURLToPath } from "node:url";
import { Server } from "@tidewire/server";
import express from "ultimate-express";
import { wall } from "../express/wall.js";

const port = Number(process.env.PORT || 3000);
const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

const app = express();
const io = new Server();
// The app of uWebSockets.js below that of Express. Its more specific route wins, so requests of Socket.IO skip Express.
io.attachApp(app.uwsApp);

app.use(express.json());
app.use(express.static(folder("../express/public")), express.static(folder("../shared")));
wall(app, io);

app.listen(port, () => console.log(`The wall is at http://localhost:${port}`));
