// The echo server, and a second one beside it, on the port in VISITS_PORT, whose visitors have sessions of express-session. The workers
// share their store: files in the folder in VISITS_FOLDER.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server } from "@tidewire/server";
import session from "express-session";
import type { SessionData } from "express-session";
import "./echo.ts";

interface Visited {
  session: session.Session & Partial<SessionData> & { visits?: number };
}

class FileStore extends session.Store {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  #path(id: string): string {
    return join(this.#folder, encodeURIComponent(id));
  }

  override get(id: string, done: (error: unknown, found?: SessionData | null) => void): void {
    const path = this.#path(id);
    done(null, existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as SessionData) : null);
  }

  override set(id: string, data: SessionData, done: (error?: unknown) => void = () => {}): void {
    const draft = `${this.#path(id)}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(data));
    // Another worker finds it whole.
    renameSync(draft, this.#path(id));
    done();
  }

  override destroy(id: string, done: (error?: unknown) => void = () => {}): void {
    rmSync(this.#path(id), { force: true });
    done();
  }
}

const { VISITS_PORT = "0", VISITS_FOLDER = "" } = process.env;
const [host = "uws"] = process.argv.slice(2);
const io = new Server(Number(VISITS_PORT), { host: host as "uws" | "node", allowEIO3: true });
const sessions = session({
  secret: "keyboard cat",
  resave: false,
  saveUninitialized: true,
  store: new FileStore(VISITS_FOLDER),
});
io.engine.use(sessions);
io.on("connection", (socket) => {
  const request = socket.request as unknown as Visited;
  socket.on("visit", (reply: (seen: { id: string; visits: number }) => void) => {
    request.session.reload(() => {
      // This is another object now.
      const { session: visit } = request;
      const visits = (visit.visits ?? 0) + 1;
      visit.visits = visits;
      visit.save(() => reply({ id: visit.id, visits }));
    });
  });
});
