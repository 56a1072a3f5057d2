// Engine.IO 4 over long-polling: sessions, messages, their ends.
import { onEngine } from "../scenario.ts";

const polling = { transport: "polling" } as const;

onEngine("polling: a handshake", polling, async (run) => {
  await run.polling();
});

onEngine("polling: messages each way", polling, async (run) => {
  const peer = await run.polling();
  await peer.post("4hello");
  run.session.send("one");
  await peer.poll();
  const { answer } = await peer.park();
  run.session.send("two");
  await answer;
});

onEngine("polling: binary each way", polling, async (run) => {
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

onEngine("polling: text of every width", polling, async (run) => {
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

onEngine("polling: callbacks of send", polling, async (run) => {
  const peer = await run.polling();
  run.session.send("one", {}, () => run.note("callbacks", "one is out"));
  run.session.send("two", { compress: false }, () => run.note("callbacks", "two is out"));
  await peer.poll();
});

for (const [name, body] of Object.entries({
  "a pong that was not asked for": "3",
  "a ping, which is the server's to send": "2",
  "a ping with data": "2probe",
  "a close packet": "1",
  "a close packet between messages": "4one\x1e1\x1e4two",
  "a noop": "6",
  "an upgrade packet": "5",
  "an open packet": "0{}",
  "a packet of an unknown type": "9what",
  "a packet that is no digit": "x",
  "an empty payload": "",
  "a separator alone": "\x1e",
  "an empty packet between messages": "4one\x1e\x1e4two",
  "a bad packet behind a message": "4one\x1e9\x1e4three",
  "base64 that is none": "b!!!!",
  "base64 that is cut": "bAQ",
  "a separator at the end": "4one\x1e",
})) {
  onEngine(`polling: a POST of ${name}`, polling, async (run) => {
    const peer = await run.polling();
    await peer.post(body);
    run.session.send("after");
    await peer.poll();
    void peer.begin("second poll");
  });
}
