import { answered, scenariosOf } from "./scenario.ts";
import type { Misdeed } from "./scenario.ts";
import { firstAnswer } from "../support/wire/network-client.ts";
import { until } from "../support/engine/peers.ts";

const scenario = scenariosOf(import.meta.url);

scenario("asks for a transport that is not served", {
  "has no such transport": async ({ server }) =>
    answered(await server.client.get(server.path("transport=tcp"))),
  "names none": async ({ server }) => answered(await server.client.get(server.path("x=1"))),
  "names what every object has": async ({ server }) =>
    answered(await server.client.get(server.path("transport=constructor"))),
});

scenario("asks for a WebSocket of a transport that is not served", async ({ server }) =>
  answered(await server.client.refused(server.path("transport=tcp"))),
);

scenario("polls with a sid that nobody has", {
  "an invented one": async ({ server }) =>
    answered(await server.client.get(server.path("transport=polling&sid=abc"))),
  "a name that every object has": async ({ server }) =>
    answered(await server.client.get(server.path("transport=polling&sid=__proto__"))),
  "that of a session which has closed": async ({ server }) => {
    const { sid } = JSON.parse((await server.client.get(server.path("transport=polling"))).body.slice(1)) as {
      sid: string;
    };
    server.engine.clients[sid]!.close(true);
    return answered(await server.client.get(server.path(`transport=polling&sid=${sid}`)));
  },
  "that of another engine's session": async ({ server, host }) => {
    await using other = await host.start();
    const { body } = await other.client.get(other.path("transport=polling"));
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const answer = answered(await server.client.get(server.path(`transport=polling&sid=${sid}`)));
    return other.engine.clientsCount === 1 ? answer : "the other engine lost its session";
  },
});

scenario("posts to a sid that nobody has", async ({ server }) =>
  answered(await server.client.post(server.path("transport=polling&sid=abc"), "4x")),
);

scenario("asks for a WebSocket with a sid that nobody has", async ({ server }) =>
  answered(await server.client.refused(server.path("transport=websocket&sid=abc"))),
);

const methods = (query: string, list: string[]): Parameters<typeof scenario>[1] =>
  Object.fromEntries(
    list.map((method) => [
      method,
      async ({ server }) => answered(await server.client.request(method, server.path(query))),
    ]),
  );

scenario(
  "opens a session by another method than GET",
  methods("transport=polling", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]),
);

scenario("opens a session by HEAD", methods("transport=polling", ["HEAD"]));

scenario(
  "sends a request that is neither GET nor POST to a session",
  Object.fromEntries(
    ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"].map((method) => [
      method,
      async (run) => answered(await run.server.client.request(method, (await run.polling()).path)),
    ]),
  ),
);

scenario("asks for a WebSocket by a plain request", async ({ server }) =>
  answered(await server.client.get(server.path("transport=websocket"))),
);

scenario("asks for long-polling by an upgrade", async ({ server }) =>
  answered(await server.client.refused(server.path("transport=polling"))),
);

const handshake = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** A WebSocket handshake with these headers instead of its own. */
function malformed(headers: Record<string, string>, method: string = "GET"): Misdeed {
  return async ({ server }) => {
    const lines = Object.entries({ Host: "localhost", ...handshake, ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const path = server.path("transport=websocket");
    return (await firstAnswer(server.port, `${method} ${path} HTTP/1.1\r\n${head}\r\n`)).slice(9, 12);
  };
}

scenario(
  "sends a WebSocket handshake that is not one",
  {
    "with a short key": malformed({ "Sec-WebSocket-Key": "abc" }),
    "of version 7": malformed({ "Sec-WebSocket-Version": "7" }),
    "of something else than WebSocket": malformed({ Upgrade: "h2c" }),
  },
  { needs: "tcp" },
);

scenario("sends a WebSocket handshake by POST", malformed({}, "POST"), { needs: "tcp" });

scenario("speaks a protocol that is not served", {
  "by long-polling": async ({ server }) =>
    answered(await server.client.get("/engine.io/?EIO=3&transport=polling")),
});

scenario("speaks a protocol that is not served, by WebSocket", async ({ server }) =>
  answered(await server.client.refused("/engine.io/?EIO=3&transport=websocket")),
);

scenario("speaks another protocol than its session", async (run) => {
  const peer = await run.polling();
  return answered(await run.server.client.get(peer.path.replace("EIO=4", "EIO=3")));
});

scenario("polls for a session that is on a WebSocket", {
  "from the start": async (run) => {
    const { handshake } = await run.webSocket();
    return answered(await run.server.client.get(run.server.path(`transport=polling&sid=${handshake.sid}`)));
  },
  "since its upgrade": async (run) => {
    const peer = await run.polling();
    const socket = await peer.probe();
    socket.sendText("5");
    await until(() => peer.session.upgraded, "the upgrade");
    run.upgraded(socket);
    return answered(await peer.get());
  },
});
