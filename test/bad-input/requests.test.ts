import { answered, scenariosOf } from "./scenario.ts";
import type { Misdeed } from "./scenario.ts";
import { firstAnswer } from "../support/wire/network-client.ts";
import { until } from "../support/engine/peers.ts";

const scenario = scenariosOf(import.meta.url);

scenario("requests an unknown transport", {
  "that does not exist": async ({ server }) =>
    answered(await server.client.get(server.path("transport=tcp"))),
  "without a name": async ({ server }) => answered(await server.client.get(server.path("x=1"))),
  "with the name of an Object property": async ({ server }) =>
    answered(await server.client.get(server.path("transport=constructor"))),
});

scenario("opens a WebSocket for an unknown transport", async ({ server }) =>
  answered(await server.client.refused(server.path("transport=tcp"))),
);

scenario("polls with an unknown sid", {
  "that never existed": async ({ server }) =>
    answered(await server.client.get(server.path("transport=polling&sid=abc"))),
  "with the name of an Object property": async ({ server }) =>
    answered(await server.client.get(server.path("transport=polling&sid=__proto__"))),
  "of a closed session": async ({ server }) => {
    const { sid } = JSON.parse((await server.client.get(server.path("transport=polling"))).body.slice(1)) as {
      sid: string;
    };
    server.engine.clients[sid]!.close(true);
    return answered(await server.client.get(server.path(`transport=polling&sid=${sid}`)));
  },
  "of another engine's session": async ({ server, host }) => {
    await using other = await host.start();
    const { body } = await other.client.get(other.path("transport=polling"));
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    const answer = answered(await server.client.get(server.path(`transport=polling&sid=${sid}`)));
    return other.engine.clientsCount === 1 ? answer : "the other engine lost its session";
  },
});

scenario("posts with an unknown sid", async ({ server }) =>
  answered(await server.client.post(server.path("transport=polling&sid=abc"), "4x")),
);

scenario("opens a WebSocket with an unknown sid", async ({ server }) =>
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
  "opens a session with a method other than GET",
  methods("transport=polling", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]),
);

scenario("opens a session with HEAD", methods("transport=polling", ["HEAD"]));

scenario(
  "sends a request other than GET or POST to a session",
  Object.fromEntries(
    ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"].map((method) => [
      method,
      async (run) => answered(await run.server.client.request(method, (await run.polling()).path)),
    ]),
  ),
);

scenario("requests the websocket transport without an upgrade", async ({ server }) =>
  answered(await server.client.get(server.path("transport=websocket"))),
);

scenario("requests the polling transport with an upgrade", async ({ server }) =>
  answered(await server.client.refused(server.path("transport=polling"))),
);

const handshake = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** Sends a WebSocket handshake with these headers replaced. */
function malformed(headers: Record<string, string>, method: string = "GET"): Misdeed {
  return async ({ server }) => {
    const lines = Object.entries({ Host: "localhost", ...handshake, ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const path = server.path("transport=websocket");
    return (await firstAnswer(server.port, `${method} ${path} HTTP/1.1\r\n${head}\r\n`)).slice(9, 12);
  };
}

scenario(
  "sends an invalid WebSocket handshake",
  {
    "with a short key": malformed({ "Sec-WebSocket-Key": "abc" }),
    "of version 7": malformed({ "Sec-WebSocket-Version": "7" }),
    "for another protocol than WebSocket": malformed({ Upgrade: "h2c" }),
  },
  { needs: "tcp" },
);

scenario("sends a WebSocket handshake with POST", malformed({}, "POST"), { needs: "tcp" });

scenario("uses an unsupported protocol version", {
  "over long-polling": async ({ server }) =>
    answered(await server.client.get("/engine.io/?EIO=3&transport=polling")),
});

scenario("uses an unsupported protocol version over WebSocket", async ({ server }) =>
  answered(await server.client.refused("/engine.io/?EIO=3&transport=websocket")),
);

scenario("uses another protocol version than its session", async (run) => {
  const peer = await run.polling();
  return answered(await run.server.client.get(peer.path.replace("EIO=4", "EIO=3")));
});

scenario("polls in a session that uses a WebSocket", {
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
