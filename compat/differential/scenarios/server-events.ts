// Events and acknowledgements in both directions.
import { overEveryWay } from "../scenario.ts";

const bytes = Buffer.from([1, 2, 3, 255]);

/** The arguments of an event. */
const payloads: Record<string, unknown[]> = {
  "no arguments": [],
  scalars: [1, -1.5, true, false, null, "", "text", "é€😀\u0000\u2028"],
  "values that JSON cannot represent": [
    undefined,
    NaN,
    Infinity,
    new Date(0),
    { gone: undefined },
    [undefined],
  ],
  "nested values": [{ a: { b: { c: [1, [2, [3, { d: {} }]]] } } }, [], {}],
  binary: [bytes],
  "nested binary": [{ list: [bytes, { deep: bytes }], empty: Buffer.alloc(0) }, "text", bytes],
  "typed arrays and an ArrayBuffer": [
    new Uint8Array([1, 2]),
    new Uint8Array([3, 4]).buffer,
    new Uint16Array([1]),
  ],
  "objects with toJSON": [{ toJSON: () => ({ as: "json" }) }],
  "text that looks like packets": [{ _placeholder: false, num: 0 }, "42[]", "/x,", "\\\"'"],
};

for (const [name, payload] of Object.entries(payloads)) {
  overEveryWay(`events: ${name}`, {}, async (run, way) => {
    const client = await run.connected("a", way);
    run.socket.on("echo", (...args: unknown[]) => run.socket.emit("echoed", ...args));
    client.emit("up", ...payload);
    await run.settle();
    run.socket.emit("down", ...payload);
    await run.settle();
    client.emit("echo", ...payload);
    await run.settle();
  });
}

overEveryWay("events: a burst both ways, in order", {}, async (run, way) => {
  const client = await run.connected("a", way);
  for (let number = 0; number < 40; number++) {
    client.emit("up", number, number % 7 === 0 ? bytes : "text");
    run.socket.emit("down", number, number % 5 === 0 ? bytes : "text");
  }
  await run.settle();
});

overEveryWay("events: unusual names", {}, async (run, way) => {
  const client = await run.connected("a", way);
  for (const name of [
    "",
    " ",
    "message",
    "error",
    "connection",
    "toString",
    "__proto__",
    "é€😀",
    "a,b",
    "1",
  ]) {
    if (name !== "error") client.emit(name, 1);
    run.socket.emit(name, 2);
  }
  run.socket.emit(7 as unknown as string, 2);
  client.emit(7 as unknown as string, 1);
  await run.settle();
});

overEveryWay("events: send and write", {}, async (run, way) => {
  const client = await run.connected("a", way);
  client.send("from the client", 1);
  await run.settle();
  run.socket.send("send", 1);
  run.socket.write("write", 2);
  run.io.send("io.send");
  run.io.of("/").write("write of the namespace");
  await run.settle();
});

overEveryWay("events: catch-all listeners", {}, async (run, way) => {
  run.io.on("connection", (socket) => {
    socket.prependAny((...event: unknown[]) => run.note("any", "prepended", event));
    socket.onAny((...event: unknown[]) => run.note("any", "second", event));
    socket.onAnyOutgoing((...event: unknown[]) => run.note("any", "outgoing", event));
    socket.prependAnyOutgoing((...event: unknown[]) => run.note("any", "outgoing first", event));
  });
  const client = await run.connected("a", way);
  run.socket.emit("down", 1, bytes);
  run.io.emit("broadcast", 2);
  run.socket.broadcast.emit("not for it");
  await run.settle();
  client.emit("up", 3);
  await run.settle();
  run.socket.offAny();
  run.socket.offAnyOutgoing();
  run.note("any", run.socket.listenersAny().length, run.socket.listenersAnyOutgoing().length);
  client.emit("unheard");
  run.socket.emit("unheard");
});

overEveryWay("events: socket middlewares", {}, async (run, way) => {
  run.io.on("connection", (socket) => {
    socket.use(([name, ...args], next) => {
      run.note("middleware", name, args.length);
      next(name === "forbidden" ? Object.assign(new Error("no"), { data: 1 }) : undefined);
    });
    socket.on("forbidden", () => run.note("middleware", "must not come"));
    socket.on("allowed", (answer: (text: string) => void) => answer("yes"));
  });
  const client = await run.connected("a", way);
  client.emit("forbidden", 1);
  await run.settle();
  run.note("a", "answer", await client.emitWithAck("allowed"));
});

overEveryWay("acks: for events of the client", {}, async (run, way) => {
  const client = await run.connected("a", way);
  run.socket.on("ask", (...args: unknown[]) => {
    const answer = args.pop() as (...answers: unknown[]) => void;
    answer("first", ...args);
    answer("second");
  });
  client.emit("ask", 1, "x", (...answers: unknown[]) => run.note("a", "answered", answers));
  await run.saw("a", "answered");
  client.emit("ask", bytes, (...answers: unknown[]) => run.note("a", "answered", answers));
  await run.saw("a", "answered", 2);
  client.emit("ask", (...answers: unknown[]) => run.note("a", "answered", answers));
  await run.saw("a", "answered", 3);
});

overEveryWay("acks: for events of the server", {}, async (run, way) => {
  const client = await run.connected("a", way);
  client.on("ask", (...args: unknown[]) => {
    const answer = args.pop() as (...answers: unknown[]) => void;
    answer("first", ...args);
    answer("second");
  });
  const answered = (...answers: unknown[]): void => run.note("answers", answers);
  run.socket.emit("ask", 1, "x", answered);
  await run.saw("answers", "first");
  run.socket.emit("ask", bytes, answered);
  await run.saw("answers", "first", 2);
  run.note("answers", "promised", await run.socket.emitWithAck("ask", 3));
  run.note("answers", "in time", await run.socket.timeout(5000).emitWithAck("ask", 4));
});

overEveryWay("acks: many pending", {}, async (run, way) => {
  const client = await run.connected("a", way);
  const waiting: ((answer: unknown) => void)[] = [];
  client.on("ask", (_: number, answer: (answer: unknown) => void) => waiting.push(answer));
  for (let number = 0; number < 5; number++) {
    run.socket.emit("ask", number, (answer: unknown) => run.note("answers", number, answer));
  }
  await run.settle();
  for (const [number, answer] of waiting.toReversed().entries()) answer(number);
  await run.saw("answers", /./, 5);
});

overEveryWay("acks: that time out", {}, async (run, way) => {
  await run.connected("a", way);
  run.socket.timeout(50).emit("ask", (error: Error | null, answer: unknown) => {
    run.note("answers", error?.message, answer);
  });
  await run.socket
    .timeout(50)
    .emitWithAck("ask")
    .catch((error: Error) => run.note("answers", error.message));
  await run.saw("answers", /./, 2);
});

overEveryWay("acks: of a client that disconnects", {}, async (run, way) => {
  const client = await run.connected("a", way);
  run.socket.emit("ask", () => run.note("answers", "never"));
  run.socket.timeout(60).emit("ask", (error: Error) => run.note("answers", error?.message));
  client.disconnect();
  await run.saw("server", "description");
  await run.saw("answers", "timed out");
});

overEveryWay("acks: of a broadcast", {}, async (run, way) => {
  for (const name of ["a", "b", "c"]) {
    const client = await run.connected(name, way);
    client.on("ask", (number: number, answer: (answer: unknown) => void) => answer(`${name} ${number}`));
  }
  const sorted = (answers: unknown[]): unknown[] => answers.map(String).toSorted();
  run.note("answers", sorted(await run.io.timeout(5000).emitWithAck("ask", 1)));
  run.note("answers", await run.io.to("nobody").timeout(5000).emitWithAck("ask", 2));
  run.io.timeout(5000).emit("ask", 3, (error: Error | null, answers: unknown[]) => {
    run.note("answers", error, sorted(answers));
  });
  await run.saw("answers", /./, 3);
});

overEveryWay("acks: of a broadcast that one client does not acknowledge", {}, async (run, way) => {
  const one = await run.connected("a", way);
  await run.connected("b", way);
  one.on("ask", (answer: (answer: unknown) => void) => answer("one"));
  run.io.timeout(1000).emit("ask", (error: Error, answers: unknown[]) => {
    run.note("answers", error.message, answers);
  });
  await run.io
    .timeout(1000)
    .emitWithAck("ask")
    .catch((error: Error & { responses?: unknown }) => {
      run.note("answers", error.message, error.responses);
    });
  await run.saw("answers", /./, 2);
});

overEveryWay("events: volatile", {}, async (run, way) => {
  const client = await run.connected("a", way);
  await run.settle();
  run.io.volatile.emit("volatile to all", 1);
  await run.settle();
  client.volatile.emit("volatile from the client");
  await run.settle();
});

overEveryWay("events: compress", {}, async (run, way) => {
  await run.connected("a", way);
  run.socket.compress(false).emit("one", "x");
  run.io.compress(true).emit("two", "x");
  await run.settle();
});
