import assert from "node:assert/strict";
import session from "express-session";
import passport from "passport";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { cookieOf, install, use, ways } from "../support/engine/middlewares.ts";
import type { StartedEngine } from "../support/engine/started-engine.ts";

interface User {
  id: number;
  name: string;
}

/** `?login=` logs a user in. For every other request, the session names the user. */
function installPassport(server: StartedEngine): void {
  const authenticator = new passport.Passport();
  authenticator.serializeUser((user, done) => done(null, (user as User).id));
  authenticator.deserializeUser((id: number, done) => done(null, { id, name: `user ${id}` }));
  install(server.engine, session({ secret: "keyboard cat", resave: false, saveUninitialized: false }));
  install(server.engine, authenticator.initialize());
  install(server.engine, authenticator.session());
  use(server.engine, (req, _res, next) => {
    const login = (req as { _query?: Record<string, string> })._query?.["login"];
    if (login === undefined) return next();
    const visitor = req as unknown as { logIn(user: User, done: (error?: unknown) => void): void };
    return visitor.logIn({ id: Number(login), name: "" }, next);
  });
}

async function logIn(server: StartedEngine): Promise<string> {
  const { headers } = await server.client.get(server.path("transport=polling&login=7"));
  await server.nextSession();
  return cookieOf(headers, "connect.sid") as string;
}

/** A strategy as applications write them. */
class Ticket extends passport.Strategy {
  override readonly name = "ticket";

  override authenticate(req: { headers: Record<string, unknown> }): void {
    if (req.headers["x-ticket"] === "good") this.success({ id: 1, name: "ann" });
    else this.fail("Ticket", 401);
  }
}

onEveryHost("middlewares: passport", engineHosts, (host) => {
  for (const way of ways) {
    describe(`by ${way.name}`, () => {
      host.it("finds the user of the session", async () => {
        await using server = await host.start();
        installPassport(server);
        const cookie = await logIn(server);
        const { session: connection } = await way.open(server, { cookie });
        const request = connection.request as unknown as { user: User; isAuthenticated(): boolean };
        assert.deepEqual(request.user, { id: 7, name: "user 7" });
        assert.equal(request.isAuthenticated(), true);
      });

      host.it("finds no user without a session", async () => {
        await using server = await host.start();
        installPassport(server);
        const { session: connection } = await way.open(server);
        const request = connection.request as unknown as { user?: User; isAuthenticated(): boolean };
        assert.equal(request.user, undefined);
        assert.equal(request.isAuthenticated(), false);
      });

      host.it("accepts a user that a strategy accepts", async () => {
        await using server = await host.start();
        const authenticator = new passport.Passport().use(new Ticket());
        install(server.engine, authenticator.initialize());
        install(server.engine, authenticator.authenticate("ticket", { session: false }));
        const { session: connection } = await way.open(server, { "x-ticket": "good" });
        assert.deepEqual((connection.request as { user?: User }).user, { id: 1, name: "ann" });
      });
      host.it("answers 401 when a strategy refuses", async () => {
        await using server = await host.start();
        const authenticator = new passport.Passport().use(new Ticket());
        install(server.engine, authenticator.initialize());
        install(server.engine, authenticator.authenticate("ticket", { session: false }));
        const { status, body, headers } = await way.refused(server);
        assert.equal(`${status} ${body}`, "401 Unauthorized");
        assert.equal(String(headers["www-authenticate"]), "Ticket");
        assert.equal(server.engine.clientsCount, 0);
      });
    });
  }
});
