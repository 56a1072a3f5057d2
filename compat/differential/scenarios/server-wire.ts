// Hand-written Socket.IO packets, valid and invalid.
import type { RawWebSocket } from "../../../test/support/wire/raw-websocket.ts";
import type { ServerRun } from "../server-run.ts";
import { onServer } from "../scenario.ts";

const websocket = { transport: "websocket" } as const;
const polling = { transport: "polling" } as const;

/** Opens a WebSocket, and joins the main namespace and /other. */
async function joined(run: ServerRun): Promise<RawWebSocket> {
  run.watch(run.io.of("/other"));
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("ws", "40{");
  wire.sendText("40/other,");
  await run.saw("ws", "40/other,{");
  return wire;
}

for (const [name, packet] of Object.entries({
  "to the main namespace": "40",
  "with auth": '40{"token":"x"}',
  "with an array as auth": "40[1,2]",
  "with a string as auth": '40"x"',
  "with null as auth": "40null",
  "with auth that is not JSON": "40{",
  "with a trailing slash in the name": "40/other/,",
  "without a comma after the name": "40/other",
  "with a query in the name": "40/other?a=b,",
  "to an unknown namespace": "40/nowhere,",
  "to a name without a slash": "40other,",
  "with an id": "407{}",
  "with attachments": "450-{}",
})) {
  onServer(`wire: a CONNECT ${name}`, websocket, async (run) => {
    run.watch(run.io.of("/other"));
    run.io.on("connection", ({ handshake }) => run.note("auth", handshake.auth));
    const wire = await run.open("ws", "transport=websocket");
    wire.sendText(packet);
    await run.quiet();
  });
}

for (const [name, packet] of Object.entries({
  "an event": '42["event",1]',
  "an event of another namespace": '42/other,["event",1]',
  "an event with an id": '4212["event",1]',
  "an event of another namespace with an id": '42/other,3["event",1]',
  "an event of a namespace that is not joined": '42/nowhere,["event",1]',
  "an event without a name": "42[]",
  "an event that is an object": '42{"0":"event"}',
  "an event that is not JSON": '42["event"',
  "an event without a payload": "42",
  "an event whose name is a number": "42[7,1]",
  "an event whose name is null": "42[null,1]",
  "an event whose name is an object": "42[{},1]",
  "a reserved event: connect": '42["connect"]',
  "a reserved event: connect_error": '42["connect_error"]',
  "a reserved event: disconnect": '42["disconnect"]',
  "a reserved event: disconnecting": '42["disconnecting"]',
  "a reserved event: newListener": '42["newListener"]',
  "a reserved event: removeListener": '42["removeListener"]',
  "an event named error": '42["error","x"]',
  "an event named connection": '42["connection","x"]',
  "an event named __proto__": '42["__proto__",{"__proto__":{"a":1}}]',
  "an ack with an unknown id": '4399["x"]',
  "an ack without an id": '43["x"]',
  "an ack without a payload": "430",
  "an ack that is an object": "430{}",
  "a disconnect": "41",
  "a disconnect of another namespace": "41/other,",
  "a disconnect with a payload": '41{"a":1}',
  "a disconnect of a namespace that is not joined": "41/nowhere,",
  "a second CONNECT": "40",
  "a second CONNECT with auth": '40{"a":1}',
  "a CONNECT_ERROR": '44{"message":"x"}',
  "an unknown type": "47[]",
  "no type": "4",
  "a type that is not a digit": "4x",
  "an announced attachment without a placeholder": '451-["event",1]',
  "no attachment count": '45-["event",1]',
  "an invalid attachment count": '45x-["event",1]',
  "no dash after the attachment count": '451["event",1]',
  "zero attachments": '450-["event",1]',
  "too many attachments": `4511-${JSON.stringify(["event", ...Array.from({ length: 11 }, (_, num) => ({ _placeholder: true, num }))])}`,
  "a placeholder in a text event": '42["event",{"_placeholder":true,"num":0}]',
  "a space in an id": '42 1["event"]',
  "a huge id": '4299999999999999999999["event"]',
  "an id with leading zeros": '42007["event"]',
})) {
  onServer(`wire: ${name}`, websocket, async (run) => {
    const wire = await joined(run);
    for (const socket of run.sockets) {
      socket.on("event", (...args: unknown[]) => {
        const answer = args.at(-1);
        if (typeof answer === "function") (answer as (...args: unknown[]) => void)("answered");
      });
    }
    wire.sendText(packet);
    await run.quiet();
    wire.sendText('42["after"]');
    await run.quiet();
    run.io.of("/other").emit("to the other");
  });
}

const one = '451-["event",{"_placeholder":true,"num":0}]';
const two = '452-["event",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]';

for (const [name, messages] of Object.entries<(string | Buffer)[]>({
  "an attachment": [one, Buffer.from([1, 2])],
  "two attachments out of order": [two, Buffer.from([1]), Buffer.from([2])],
  "an empty attachment": [one, Buffer.alloc(0)],
  "text instead of an attachment": [one, '42["early"]'],
  "an unannounced attachment": [Buffer.from([1])],
  "one attachment too many": [one, Buffer.from([1]), Buffer.from([2])],
  "a placeholder used twice": [
    '451-["event",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
    Buffer.from([1]),
  ],
  "a placeholder out of range": ['451-["event",{"_placeholder":true,"num":5}]', Buffer.from([1])],
  "a placeholder with a negative number": ['451-["event",{"_placeholder":true,"num":-1}]', Buffer.from([1])],
  "a placeholder with a string as its number": [
    '451-["event",{"_placeholder":true,"num":"0"}]',
    Buffer.from([1]),
  ],
  "a placeholder as the event name": ['451-[{"_placeholder":true,"num":0}]', Buffer.from([1])],
  "an ack with an attachment": ['461-0[{"_placeholder":true,"num":0}]', Buffer.from([1])],
  "an attachment for another namespace": [
    '451-/other,["event",{"_placeholder":true,"num":0}]',
    Buffer.from([1]),
  ],
})) {
  onServer(`wire: ${name}`, websocket, async (run) => {
    const wire = await joined(run);
    for (const message of messages) {
      if (typeof message === "string") wire.sendText(message);
      else wire.sendBinary(message);
    }
    await run.quiet();
    wire.sendText('42["after"]');
    await run.quiet();
  });
}

onServer("wire: an event before CONNECT", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText('42["early"]');
  await run.quiet();
});

onServer("wire: a disconnect before CONNECT", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("41");
  await run.quiet();
});

onServer("wire: CONNECT and events in one write", websocket, async (run) => {
  run.io.on("connection", (socket) => socket.emit("welcome"));
  const wire = await run.open("ws", "transport=websocket");
  wire.sendTogether("40", '42["early",1]', '42["early",2]');
  await run.quiet();
});

onServer("wire: CONNECT twice in one write", websocket, async (run) => {
  const wire = await run.open("ws", "transport=websocket");
  wire.sendTogether("40", "40");
  await run.quiet();
});

onServer("wire: leaving and rejoining", websocket, async (run) => {
  const wire = await joined(run);
  wire.sendText("41/other,");
  await run.saw("server", "disconnect: ");
  wire.sendText("40/other,");
  await run.saw("ws", "40/other,{", 2);
  wire.sendText('42/other,["again"]');
  await run.saw("server", "again");
});

onServer("wire: leaving and rejoining in one write", websocket, async (run) => {
  const wire = await joined(run);
  wire.sendTogether("41/other,", "40/other,", '42/other,["again"]');
  await run.quiet();
});

onServer("wire: an event after one that disconnects its socket, in one write", websocket, async (run) => {
  const wire = await joined(run);
  run.sockets[0]!.on("bye", () => run.sockets[0]!.disconnect());
  wire.sendTogether('42["bye"]', '42["after"]');
  await run.quiet();
  wire.sendText('42/other,["still here"]');
  await run.saw("server", "still here");
});

onServer("wire: acks and events in order", websocket, async (run) => {
  const wire = await joined(run);
  run.sockets[0]!.on("ask", (number: number, answer: (number: number) => void) => answer(number));
  run.sockets[0]!.on("tell", (number: number) => run.sockets[0]!.emit("told", number));
  wire.sendTogether('421["ask",1]', '42["tell",2]', '422["ask",3]', '42["tell",4]');
  await run.saw("ws", '"told\\",4');
});

onServer("wire: a whole session over long-polling", polling, async (run) => {
  run.io.on("connection", (socket) => {
    socket.emit("welcome", Buffer.from([1, 2]));
    socket.on("ask", (data: unknown, answer: (data: unknown) => void) => answer(data));
  });
  const { body } = await run.get("transport=polling");
  const { sid } = JSON.parse(body.slice(1)) as { sid: string };
  const query = `transport=polling&sid=${sid}`;
  await run.post(query, "40");
  await run.saw("server", "connection");
  await run.get(query);
  await run.post(query, '420["ask",1]\x1e42["tell"]\x1e451-1["ask",{"_placeholder":true,"num":0}]\x1ebAQI=');
  await run.get(query);
  await run.post(query, "41");
  await run.saw("server", "description");
  await run.post(query, '42["after"]');
});

onServer("wire: an invalid packet over long-polling", polling, async (run) => {
  const { body } = await run.get("transport=polling");
  const { sid } = JSON.parse(body.slice(1)) as { sid: string };
  const query = `transport=polling&sid=${sid}`;
  await run.post(query, "40");
  await run.saw("server", "connection");
  await run.get(query);
  await run.post(query, '42["one"]\x1e4bad\x1e42["two"]');
  await run.get(query);
  await run.get(query);
});

onServer("wire: an invalid Engine.IO packet after an invalid Socket.IO packet", polling, async (run) => {
  const { body } = await run.get("transport=polling");
  const { sid } = JSON.parse(body.slice(1)) as { sid: string };
  const query = `transport=polling&sid=${sid}`;
  await run.post(query, "40");
  await run.saw("server", "connection");
  await run.get(query);
  await run.post(query, "4bad\x1e9");
  await run.get(query);
});

/** Adds a middleware that waits until the returned function is called. */
function heldBack(run: ServerRun): () => void {
  const waiting: (() => void)[] = [];
  run.io.use((_, next) => {
    run.note("middleware", "asked");
    waiting.push(next);
  });
  return () => waiting.splice(0).forEach((next) => next());
}

onServer("wire: a broadcast while a middleware is pending", websocket, async (run) => {
  const decide = heldBack(run);
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("middleware", "asked");
  run.io.emit("early");
  decide();
  await run.saw("ws", "40{");
  run.io.emit("late");
  await run.saw("ws", "late");
});

onServer("wire: disconnecting while a middleware is pending", websocket, async (run) => {
  const decide = heldBack(run);
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("middleware", "asked");
  wire.close(1000);
  await run.saw("engine", "description");
  decide();
});

onServer("wire: CONNECT again while a middleware is pending", websocket, async (run) => {
  const decide = heldBack(run);
  const wire = await run.open("ws", "transport=websocket");
  wire.sendTogether("40", "40");
  await run.saw("middleware", "asked", 2);
  decide();
  await run.saw("server", "connection", 2);
});

onServer("wire: an event while a middleware is pending", websocket, async (run) => {
  const decide = heldBack(run);
  const wire = await run.open("ws", "transport=websocket");
  wire.sendText("40");
  await run.saw("middleware", "asked");
  wire.sendText('42["early"]');
  await run.quiet();
  decide();
});
