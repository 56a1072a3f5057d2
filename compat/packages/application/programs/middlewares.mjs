// Three packages that extend sockets: socketio-wildcard, socket.io-prometheus and @thream/socketio-jwt.
import { authorize } from "@thream/socketio-jwt";
import jsonwebtoken from "jsonwebtoken";
import prometheus from "prom-client";
import collectMetrics from "socket.io-prometheus";
import wildcard from "socketio-wildcard";
import { listen, ready } from "./program.mjs";

const io = await listen();
const secret = "a secret of the tests";

collectMetrics(io);
io.on("connection", (socket) => {
  socket.on("hello", (text) => socket.emit("world", text));
});

io.of("/wildcard").use(wildcard());
io.of("/wildcard").on("connection", (socket) => {
  socket.on("*", ({ type, nsp, data }) => {
    socket.emit("caught", {
      type,
      nsp,
      data: data.map((item) => (typeof item === "function" ? "reply" : item)),
    });
  });
  socket.on("named", (value, reply) => reply?.(`named ${value}`));
});

io.of("/jwt").use(authorize({ secret, onAuthentication: ({ sub }) => ({ name: `user ${sub}` }) }));
io.of("/jwt").on("connection", (socket) => {
  const { decodedToken, user, encodedToken } = socket;
  socket.emit("welcome", { sub: decodedToken.sub, user, encodedToken });
});
io.of("/jwt-of-many").use(
  authorize({ secret: async ({ header }) => (header.kid === "1" ? secret : "another") }),
);

ready(io.httpServer, {
  metrics: () => prometheus.register.getMetricsAsJSON(),
  sign: (claims, options) => jsonwebtoken.sign(claims, secret, options),
});
