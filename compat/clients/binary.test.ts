import assert from "node:assert/strict";
import { collect, next } from "../../test/support/waiting/events.ts";
import { broken } from "./broken.ts";
import { onEveryClient, type Mode } from "./setting.ts";

const bytes = Buffer.from([0, 1, 4, 0x1e, 0x7f, 0x80, 0xfe, 0xff]);

/** Well below the default, which keeps the tests fast. */
const maxHttpBufferSize = 400_000;

/** The largest data within the limit: long-polling sends base64, and packets have a header. */
const nearLimit: Readonly<Record<Mode, number>> = { polling: 299_000, websocket: 399_500, upgrade: 299_000 };

/** Makes binary data comparable by content: a decoded buffer can be a slice of another one, or a typed array. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof ArrayBuffer) return plain(new Uint8Array(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const nested = {
  name: "report.pdf",
  parts: [bytes, { deep: [{ deeper: bytes.subarray(2) }] }, "text between", Buffer.alloc(0)],
  none: null,
};

onEveryClient("binary", {}, (setting) => {
  it("reaches the server from a Buffer or an ArrayBuffer", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const seen = collect(socket, "bytes", 2);
    client.emit("bytes", bytes);
    client.emit("bytes", new Uint8Array(bytes).buffer);
    assert.deepEqual(plain(await seen), [plain([bytes]), plain([bytes])]);
  });

  setting.itWith("typed arrays", "reaches the server from a typed array", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const seen = next(socket, "bytes");
    client.emit("bytes", new Uint8Array(bytes));
    assert.deepEqual(plain(await seen), plain([bytes]));
  });

  it("reaches the client from a Buffer, a typed array or an ArrayBuffer", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const forms = [bytes, new Uint8Array(bytes), new Uint8Array(bytes).buffer];
    const seen = collect(client, "bytes", forms.length);
    for (const form of forms) socket.emit("bytes", form);
    assert.deepEqual(plain(await seen), [plain([bytes]), plain([bytes]), plain([bytes])]);
  });

  it("can be nested, and in several places of one event", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    const atServer = next(socket, "nested");
    const atClient = next(client, "nested");
    client.emit("nested", bytes, nested, "last");
    socket.emit("nested", bytes, nested, "last");
    assert.deepEqual(plain(await atServer), plain([bytes, nested, "last"]));
    assert.deepEqual(plain(await atClient), plain([bytes, nested, "last"]));
  });

  it("stays in order with text, both ways, across an upgrade", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.join(server);
    const sent = Array.from({ length: 60 }, (_, index) => [index % 3 === 0 ? Buffer.from([index]) : index]);
    const atServer = collect(socket, "item", sent.length);
    const atClient = collect(client, "item", sent.length);
    for (const [index, [item]] of sent.entries()) {
      client.emit("item", item);
      socket.emit("item", item);
      if (index === 30) await setting.onLastTransport(socket);
    }
    assert.deepEqual(plain(await atServer), plain(sent));
    assert.deepEqual(plain(await atClient), plain(sent));
  });

  it("is acknowledged with binary, both ways", async () => {
    const server = await setting.start();
    const { client, socket } = await setting.joinFully(server);
    for (const side of [client, socket]) {
      side.on("echo", (given: unknown, answer: (...args: unknown[]) => void) => answer(given, bytes));
    }
    for (const side of [client, socket]) {
      const answer = await new Promise((resolve) => {
        side.emit("echo", nested, (...args: unknown[]) => resolve(args));
      });
      assert.deepEqual(plain(answer), plain([nested, bytes]));
    }
  });

  it("can be as large as maxHttpBufferSize allows, both ways", async () => {
    const server = await setting.start({ maxHttpBufferSize });
    const { client, socket } = await setting.join(server);
    const large = Buffer.alloc(nearLimit[setting.mode], "large");
    const atServer = next<[Buffer]>(socket, "large");
    client.emit("large", large);
    assert.ok(large.equals((await atServer)[0]));
    const atClient = next<[Uint8Array]>(client, "large");
    socket.emit("large", large);
    assert.ok(large.equals((await atClient)[0]));
  });

  it("can be larger than maxHttpBufferSize if the server sends it", async () => {
    const server = await setting.start({ maxHttpBufferSize });
    const { client, socket } = await setting.joinFully(server);
    const large = Buffer.alloc(3_000_000, "larger");
    const atClient = next<[Uint8Array]>(client, "large");
    socket.emit("large", large);
    assert.ok(large.equals((await atClient)[0]));
  });

  it("closes the connection if it is larger than maxHttpBufferSize", async () => {
    const server = await setting.start({ maxHttpBufferSize });
    const { client, socket } = await setting.joinFully(server);
    const gone = next(client, "disconnect");
    let isHeard = false;
    socket.on("large", () => (isHeard = true));
    client.emit("large", Buffer.alloc(maxHttpBufferSize + 1));
    assert.equal((await gone)[0], broken[setting.transport]);
    assert.equal(isHeard, false);
  });
});

onEveryClient("text", { plain: true }, (setting) => {
  it("can be as large as maxHttpBufferSize allows, both ways", async () => {
    const server = await setting.start({ maxHttpBufferSize });
    const { client, socket } = await setting.join(server);
    const most = setting.isMsgpack ? nearLimit[setting.mode] : maxHttpBufferSize;
    const large = "x".repeat(most - 100);
    socket.on("large", (text: string) => socket.emit("large", text));
    const back = next<[string]>(client, "large");
    client.emit("large", large);
    assert.equal((await back)[0].length, large.length);
  });
});
