// Engine.IO 4 over long-polling.
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;

onEngine("polling: a handshake", polling, async (run) => {
  await run.polling();
});

onEngine("polling: messages both ways", polling, async (run) => {
  const peer = await run.polling();
  await peer.post("4hello");
  run.session.send("one");
  await peer.poll();
  const { answer } = await peer.park();
  run.session.send("two");
  await answer;
});

onEngine("polling: binary both ways", polling, async (run) => {
  const peer = await run.polling();
  await peer.post("bAQIDBA==");
  run.session.send(Buffer.from([1, 2, 3, 255]));
  await peer.poll();
  await peer.post("b");
  run.session.send(Buffer.alloc(0));
  await peer.poll();
});

onEngine("polling: several packets in one payload", polling, async (run) => {
  const peer = await run.polling();
  await peer.post("4one\x1ebAQI=\x1e4three\x1e4");
  run.session.send("one");
  run.session.send(Buffer.from([1]));
  run.session.send("");
  run.session.send("four");
  await peer.poll();
});

onEngine("polling: text with multi-byte characters", polling, async (run) => {
  const peer = await run.polling();
  await peer.post("4é€😀\u0000\u2028");
  run.session.send("é€😀\u0000\u2028");
  await peer.poll();
});

onEngine("polling: a lone surrogate", polling, async (run) => {
  const peer = await run.polling();
  run.session.send("a\ud800b");
  await peer.poll();
});

onEngine("polling: messages sent before the first poll", polling, async (run) => {
  run.engine.on("connection", (session) => {
    session.send("first");
    session.send("second");
  });
  const peer = await run.polling();
  await peer.poll();
});

onEngine("polling: send callbacks", polling, async (run) => {
  const peer = await run.polling();
  run.session.send("one", {}, () => run.note("callbacks", "one is out"));
  run.session.send("two", { compress: false }, () => run.note("callbacks", "two is out"));
  await peer.poll();
});

for (const [name, body] of Object.entries({
  "an unsolicited pong": "3",
  "a ping, which only servers send": "2",
  "a ping with data": "2probe",
  "a close packet": "1",
  "a close packet between messages": "4one\x1e1\x1e4two",
  "a noop": "6",
  "an upgrade packet": "5",
  "an open packet": "0{}",
  "a packet of an unknown type": "9what",
  "a packet whose type is not a digit": "x",
  "an empty payload": "",
  "only a separator": "\x1e",
  "an empty packet between messages": "4one\x1e\x1e4two",
  "an invalid packet after a message": "4one\x1e9\x1e4three",
  "invalid base64": "b!!!!",
  "truncated base64": "bAQ",
  "a trailing separator": "4one\x1e",
})) {
  onEngine(`polling: a POST of ${name}`, polling, async (run) => {
    const peer = await run.polling();
    await peer.post(body);
    run.session.send("after");
    await peer.poll();
    void peer.begin("second poll");
  });
}
