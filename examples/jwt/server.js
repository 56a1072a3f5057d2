// Tokens that end. PORT sets the port (3000), and LIFETIME how many seconds a token lives (60).
import { createServer } from "node:http";
import { Server } from "@tidewire/server";
import express from "express";
import { jwtVerify, SignJWT } from "jose";

const port = Number(process.env.PORT || 3000);
const lifetime = Number(process.env.LIFETIME || 60);
const secret = new TextEncoder().encode(
  process.env.SECRET || "at least 32 characters, from your configuration",
);
const passwords = new Map([["ada", "lovelace"]]);

const app = express();
const httpServer = createServer(app);
const io = new Server(httpServer);

app.post("/login", express.json(), async (request, response) => {
  const { user, password } = request.body ?? {};
  if (password === undefined || passwords.get(user) !== password) return response.sendStatus(401);
  response.json({ token: await sign(user) });
});

app.post("/refresh", async (request, response) => {
  try {
    const { sub } = await verify(request.get("authorization")?.replace(/^Bearer /, ""));
    response.json({ token: await sign(sub) });
  } catch {
    response.sendStatus(401);
  }
});

io.use(async (socket, next) => {
  try {
    const { sub, exp } = await verify(socket.handshake.auth.token);
    // It runs again when a token is refreshed. A token of somebody else would take over the rooms and the data of this one.
    if (socket.connected && sub !== socket.data.user) throw new Error("another user");
    socket.data.user = sub;
    // Half a lifetime before the end, the client is asked for a new token.
    socket.expiresAt(exp * 1000, { warn: lifetime * 500, refresh });
    next();
  } catch {
    next(Object.assign(new Error("invalid token"), { data: { status: 401 } }));
  }
});

io.on("connection", (socket) => {
  socket.on("who am i", (answer) => answer(socket.data.user));
});

// Otherwise a client that takes no answer would end the process.
io.onError((error, { event }) => console.error(`${event}: ${error.message}`));

httpServer.listen(port, () => console.log(`Log in at http://localhost:${port}/login`));

async function refresh(socket) {
  const token = await socket.timeout(5000).emitWithAck("auth:refresh");
  await socket.revalidate({ token });
}

function sign(user) {
  const token = new SignJWT({ sub: user }).setProtectedHeader({ alg: "HS256" });
  return token.setExpirationTime(`${lifetime}s`).sign(secret);
}

/** @throws if the token is not one of ours, or has ended */
async function verify(token) {
  const { payload } = await jwtVerify(token, secret, { requiredClaims: ["sub", "exp"] });
  return payload;
}
