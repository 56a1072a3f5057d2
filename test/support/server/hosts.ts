import { createServer } from "node:http";
import type { ServerOptions as OwnOptions } from "@tidewire/server";
import * as uWS from "uWebSockets.js";
import { chosen, defineHost, type Host } from "../hosts/on-every-host.ts";
import { needUws } from "../uws/absent.ts";
import { serve, serveApp } from "./serve.ts";
import { socketio, type ServerOptions } from "./socketio.ts";
import { StartedServer } from "./started-server.ts";

/** The options of the official server, and those of this project. */
type Options = Partial<ServerOptions> & Omit<Partial<OwnOptions>, keyof ServerOptions>;

export type ServerHost = Host<StartedServer, Options>;

const uwsHost: ServerHost = defineHost({
  name: "uws",
  gaps: {},
  async start(options: Options = {}): Promise<StartedServer> {
    // Before there is a server: its adapter may have timers.
    needUws();
    const io = new socketio.Server(0, { host: "uws", ...options });
    return StartedServer.of(io);
  },
});

const nodeHost: ServerHost = defineHost({
  name: "node",
  gaps: { backlog: "node:http pauses reading instead" },
  start(options: Options = {}): Promise<StartedServer> {
    const httpServer = createServer();
    return serve(new socketio.Server(httpServer, options), httpServer);
  },
});

/** A server attached to an app of the application, as users of uWebSockets.js do it. */
export const attachedHost: ServerHost = defineHost({
  name: "attachApp",
  gaps: {},
  async start(options: Options = {}): Promise<StartedServer> {
    const app = uWS.App();
    const io = new socketio.Server(options);
    io.attachApp(app);
    return serveApp(io, app);
  },
});

/** `HOSTS=attachApp` runs every suite of the server through `attachApp()`. */
const isOnApp = process.env["HOSTS"]?.split(",").includes("attachApp") === true;

/** Where the suites of the server run. */
export const serverHosts: readonly ServerHost[] = chosen([
  uwsHost,
  nodeHost,
  ...(isOnApp ? [attachedHost] : []),
]);

/** The same and `attachApp()`, for what may differ there. */
export const serverHostsAndApp: readonly ServerHost[] = chosen([uwsHost, nodeHost, attachedHost]);
