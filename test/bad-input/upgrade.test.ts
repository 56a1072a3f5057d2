import { PollingPeer, until } from "../support/engine/peers.ts";
import type { WireSocket } from "../support/wire/client.ts";
import { answered, ended, scenariosOf } from "./scenario.ts";
import type { Misdeed } from "./scenario.ts";

const scenario = scenariosOf(import.meta.url);

/** Begins an upgrade, and then does something other than finishing it. */
function begun(misdeed: (socket: WireSocket, peer: PollingPeer) => Promise<void> | void): Misdeed {
  return async (run) => {
    const peer = await run.polling();
    const socket = await run.server.client.websocket(peer.websocketPath);
    await misdeed(socket, peer);
    const end = await ended(socket);
    await until(() => !peer.session.upgrading, "the upgrade to be given up");
    return end;
  };
}

const probe = async (socket: WireSocket): Promise<void> => {
  socket.sendText("2probe");
  await socket.next();
};

scenario(
  "opens the WebSocket of an upgrade and sends nothing",
  begun(() => {}),
  {
    options: { upgradeTimeout: 50 },
  },
);

scenario("probes but never finishes its upgrade", begun(probe), {
  // Long enough for the probe on a busy machine.
  options: { upgradeTimeout: 300 },
});

scenario("sends a packet that does not belong to an upgrade", {
  "a message instead of the probe": begun((socket) => socket.sendText("4x")),
  "a message instead of 5": begun(async (socket) => {
    await probe(socket);
    socket.sendText("4x");
  }),
  "a ping that is not a probe": begun((socket) => socket.sendText("2")),
  "an open packet": begun((socket) => socket.sendText("0")),
  "a close packet": begun((socket) => socket.sendText("1")),
  "a pong": begun((socket) => socket.sendText("3probe")),
  "a noop": begun((socket) => socket.sendText("6")),
  binary: begun((socket) => socket.sendBinary(Buffer.from([1]))),
});

scenario(
  "sends an invalid packet on the WebSocket of an upgrade",
  begun((socket) => socket.sendText("9")),
);

scenario(
  "sends a frame that is too large on the WebSocket of an upgrade",
  begun((socket) => socket.sendText(`4${"x".repeat(1000)}`)),
  { options: { maxHttpBufferSize: 1000 } },
);

scenario("closes the WebSocket of its upgrade", {
  "before the probe": begun((socket) => socket.close()),
  "after the probe": begun(async (socket) => {
    await probe(socket);
    socket.close();
  }),
});

scenario(
  "resets the WebSocket of its upgrade",
  begun((socket) => socket.reset()),
);

scenario("starts two upgrades at once", async (run) => {
  const peer = await run.polling();
  const first = await peer.probe();
  const second = await run.server.client.websocket(peer.websocketPath);
  const end = await ended(second);
  first.sendText("5");
  await until(() => peer.session.upgraded, "the upgrade");
  run.upgraded(first);
  return `the second ${end}`;
});

scenario("upgrades a session that uses a WebSocket", async (run) => {
  const { handshake } = await run.webSocket();
  const second = await run.server.client.websocket(
    run.server.path(`transport=websocket&sid=${handshake.sid}`),
  );
  return `the second ${await ended(second)}`;
});

scenario(
  "upgrades although allowUpgrades is false",
  async (run) => {
    const peer = await run.polling();
    return ended(await run.server.client.websocket(peer.websocketPath));
  },
  { options: { allowUpgrades: false } },
);

scenario("upgrades a session that has closed", async (run) => {
  const peer = await PollingPeer.open(run.server);
  peer.session.close(true);
  return answered(await run.server.client.refused(peer.websocketPath));
});

scenario("sends 5 without a probe", async (run) => {
  const peer = await run.polling();
  const socket = await run.server.client.websocket(peer.websocketPath);
  socket.sendText("5");
  await until(() => peer.session.upgraded, "the upgrade");
  run.upgraded(socket);
  return "the upgrade";
});

scenario("leaves while its poll is pending during an upgrade", async (run) => {
  const peer = await run.polling();
  const aborter = new AbortController();
  const { answer } = await peer.park({ signal: aborter.signal });
  const socket = await run.server.client.websocket(peer.websocketPath);
  aborter.abort();
  await answer.catch(() => {});
  return ended(socket);
});
