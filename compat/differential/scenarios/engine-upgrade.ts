// Upgrades from long-polling to a WebSocket.
import type { EngineRun, PollingSession } from "../engine-run.ts";
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import { onEngine } from "../scenario.ts";

const upgrade = { transport: "upgrade" } as const;

/** Opens a session over long-polling, and a WebSocket whose probe the server has answered. */
async function probed(run: EngineRun): Promise<{ peer: PollingSession; socket: RawWebSocket }> {
  const peer = await run.polling();
  const socket = await run.open("ws", peer.websocketQuery);
  socket.sendText("2probe");
  await run.saw("ws", "3probe");
  return { peer, socket };
}

onEngine("upgrade: complete", upgrade, async (run) => {
  const { socket } = await probed(run);
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
  socket.sendText("4up");
  await run.saw("engine", "message");
  run.session.send("down");
  await run.saw("ws", "down");
});

onEngine("upgrade: by a WebSocket that the application has accepted", upgrade, async (run) => {
  const peer = await run.polling();
  const socket = await run.handedOver("ws", peer.websocketQuery);
  socket.sendText("2probe");
  await run.saw("ws", "3probe");
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
  run.session.send("down");
  await run.saw("ws", "down");
  await run.handedOver("second", peer.websocketQuery);
  await run.saw("second", "end");
});

onEngine("upgrade: a pending poll is released", upgrade, async (run) => {
  const peer = await run.polling();
  const { answer } = await peer.park();
  const socket = await run.open("ws", peer.websocketQuery);
  socket.sendText("2probe");
  await answer;
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
});

onEngine("upgrade: polls during the probe are released", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  await peer.poll();
  await peer.poll();
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
});

onEngine("upgrade: queued messages go over the WebSocket", upgrade, async (run) => {
  const { socket } = await probed(run);
  run.session.send("one");
  run.session.send(Buffer.from([2]));
  socket.sendText("5");
  await run.saw("ws", "binary");
});

onEngine("upgrade: queued messages go to a poll during the probe", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  run.session.send("one");
  await peer.poll();
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
});

onEngine("upgrade: messages after the upgrade packet in one write", upgrade, async (run) => {
  const { socket } = await probed(run);
  socket.sendTogether("5", "4one", "4two");
  await run.saw("engine", "message", 2);
});

onEngine("upgrade: a POST during the probe", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  await peer.post("4posted");
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
});

for (const [name, packet] of Object.entries({
  "a message instead of a probe": "4hi",
  "a ping instead of a probe": "2",
  "a probe with other data": "2other",
  "the upgrade packet without a probe": "5",
  "a pong instead of a probe": "3probe",
  "an invalid packet instead of a probe": "9",
})) {
  onEngine(`upgrade: ${name}`, upgrade, async (run) => {
    const peer = await run.polling();
    const socket = await run.open("ws", peer.websocketQuery);
    socket.sendText(packet);
    await run.quiet();
    run.session.send("after");
    void peer.begin("next poll");
    await run.quiet();
  });
}

onEngine("upgrade: a message before the upgrade packet", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  socket.sendText("4hi");
  await run.quiet();
  run.session.send("after");
  void peer.begin("next poll");
  await run.quiet();
});

onEngine("upgrade: the WebSocket is closed after the probe", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  socket.close(1000);
  await run.saw("ws", "end");
  run.session.send("after");
  await peer.poll();
  await peer.post("4still");
});

onEngine("upgrade: the WebSocket is reset before the probe", upgrade, async (run) => {
  const peer = await run.polling();
  const socket = await run.open("ws", peer.websocketQuery);
  socket.reset();
  await run.saw("ws", "end");
  run.session.send("after");
  await peer.poll();
});

onEngine("upgrade: a second WebSocket during the probe", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  await run.ws("second", peer.websocketQuery);
  await run.saw("second", "end");
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
});

onEngine("upgrade: a second WebSocket after the upgrade", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
  await run.ws("second", peer.websocketQuery);
  await run.saw("second", "end");
  socket.sendText("4still");
  await run.saw("engine", "message");
});

onEngine("upgrade: long-polling after the upgrade", upgrade, async (run) => {
  const { peer, socket } = await probed(run);
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
  await peer.poll();
  await peer.post("4posted");
  socket.sendText("4still");
  await run.saw("engine", "still");
});

onEngine(
  "upgrade: no upgrade packet within upgradeTimeout",
  { ...upgrade, options: { upgradeTimeout: 400 } },
  async (run) => {
    const { peer } = await probed(run);
    await run.saw("ws", "end");
    run.session.send("after");
    await peer.poll();
  },
);

onEngine(
  "upgrade: no probe within upgradeTimeout",
  { ...upgrade, options: { upgradeTimeout: 400 } },
  async (run) => {
    const peer = await run.polling();
    await run.open("ws", peer.websocketQuery);
    await run.saw("ws", "end");
    run.session.send("after");
    await peer.poll();
  },
);

onEngine("upgrade: the server closes the session during the probe", upgrade, async (run) => {
  const { peer } = await probed(run);
  run.session.close();
  void peer.begin("next poll");
  await run.quiet();
});

onEngine("upgrade: the client closes during the probe", upgrade, async (run) => {
  const { peer } = await probed(run);
  await peer.post("1");
  await run.quiet();
});

onEngine("upgrade: the engine closes during the probe", upgrade, async (run) => {
  const { peer } = await probed(run);
  run.engine.close();
  void peer.begin("next poll");
  await run.quiet();
});

onEngine(
  "upgrade: allowUpgrades is false",
  { ...upgrade, options: { allowUpgrades: false } },
  async (run) => {
    await run.polling();
  },
);

onEngine(
  "upgrade: the heartbeat after the upgrade",
  { ...upgrade, options: { pingInterval: 500, pingTimeout: 5000 } },
  async (run) => {
    const { socket } = await probed(run);
    socket.sendText("5");
    for (let beat = 1; beat <= 2; beat++) {
      await run.saw("ws", 'text "2"', beat);
      socket.sendText("3");
      await run.saw("engine", "heartbeat", beat);
    }
    run.stop();
  },
);

onEngine(
  "upgrade: no pong after the upgrade",
  { ...upgrade, options: { pingInterval: 400, pingTimeout: 800 } },
  async (run) => {
    const { socket } = await probed(run);
    socket.sendText("5");
    await run.saw("engine", "description");
    await run.saw("ws", "end");
  },
);

onEngine("upgrade: the client resets the connection after the upgrade", upgrade, async (run) => {
  const { socket } = await probed(run);
  socket.sendText("5");
  await run.saw("engine", "upgrade to");
  socket.reset();
  await run.saw("engine", "description");
});
