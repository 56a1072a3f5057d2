import assert from "node:assert/strict";
import { until } from "../../test/support/engine/peers.ts";
import { next } from "../../test/support/waiting/events.ts";
import { broken, impatient } from "./broken.ts";
import { cuttableProxy } from "../../test/support/proxies/tcp.ts";
import { onEveryEngineClient, type EngineJoined } from "./engine-setting.ts";
import { unsupported } from "../support/cell.ts";
import { front } from "../support/workers.ts";

const texts = ["plain", "é€", "😀 👩‍👩‍👧", "\u2028", "line\nline\\nline", '"\\n"', "x".repeat(50_000)];
const bytes = Buffer.from([0, 1, 2, 4, 0x1e, 0x7f, 0x80, 0xff]);

/** Text and binary, alternating. */
const mixed: readonly (string | Buffer)[] = Array.from({ length: 90 }, (_, index) =>
  index % 3 === 0 ? Buffer.from([index]) : `number ${index}`,
);

/** Makes binary data comparable by content: it can be a slice of another buffer. */
function plain(data: readonly (string | Buffer | ArrayBuffer)[]): string[] {
  return data.map((item) =>
    typeof item === "string" ? item : `bytes ${Buffer.from(item as Buffer).toString("hex")}`,
  );
}

/** Resolves with the close reasons of both sides. */
async function reasons({ client, session }: EngineJoined): Promise<{ client: unknown; server: unknown }> {
  const [[atClient], [atServer]] = await Promise.all([next(client, "close"), next(session, "close")]);
  return { client: atClient, server: atServer };
}

onEveryEngineClient("packets", (setting) => {
  it("follow a handshake with the same id, protocol and transport on both sides", async () => {
    await using server = await setting.start();
    const { client, session } = await setting.joinFully(server);
    assert.equal(client.id, session.id);
    assert.equal(session.protocol, setting.version.protocol);
    assert.equal(client.transport.name, setting.transport);
    assert.equal(session.transport.name, setting.transport);
  });

  it("arrive in order both ways, across an upgrade", async () => {
    await using server = await setting.start();
    const { client, session, atClient, atServer } = await setting.join(server);
    for (const [index, item] of mixed.entries()) {
      client.send(item);
      session.send(item);
      if (index === 45) await until(() => session.transport.name === setting.transport, "the upgrade");
    }
    await until(() => atServer.length === mixed.length && atClient.length === mixed.length, "all packets");
    assert.deepEqual(plain(atServer), plain(mixed));
    assert.deepEqual(plain(atClient), plain(mixed));
  });

  it("carry any text", async () => {
    await using server = await setting.start();
    const { client, session, atClient, atServer } = await setting.join(server);
    for (const text of texts) {
      client.send(text);
      session.send(text);
    }
    await until(() => atServer.length === texts.length && atClient.length === texts.length, "all texts");
    assert.deepEqual(atServer, texts);
    assert.deepEqual(atClient, texts);
  });

  it("carry a Buffer or an ArrayBuffer", async () => {
    await using server = await setting.start();
    const { client, atServer } = await setting.joinFully(server);
    client.send(bytes);
    client.send(new Uint8Array(bytes).buffer);
    await until(() => atServer.length === 2, "all packets");
    assert.deepEqual(plain(atServer), plain([bytes, bytes]));
    assert.ok(atServer.every((data) => Buffer.isBuffer(data)));
  });

  it("can be as large as maxHttpBufferSize allows", async () => {
    const maxHttpBufferSize = 300_000;
    await using server = await setting.start({ maxHttpBufferSize });
    const { client, session, atClient, atServer } = await setting.join(server);
    const large = "x".repeat(maxHttpBufferSize - 20);
    client.send(large);
    session.send(large);
    await until(() => atServer.length === 1 && atClient.length === 1, "the large packets");
    assert.equal(atServer[0], large);
    assert.equal(atClient[0], large);
  });

  it("larger than maxHttpBufferSize close the connection", async () => {
    await using server = await setting.start({ maxHttpBufferSize: 10_000 });
    const { client, session, atServer } = await setting.joinFully(server);
    const closed = next(client, "close");
    client.send("x".repeat(10_001));
    assert.equal((await closed)[0], broken[setting.transport]);
    assert.deepEqual(atServer, []);
    session.close();
  });

  it("of the heartbeat keep the connection alive", async () => {
    await using server = await setting.start({ pingInterval: 40, pingTimeout: 10_000 });
    const { client, session } = await setting.joinFully(server);
    let beats = 0;
    session.on("heartbeat", () => beats++);
    await until(() => beats >= 5, "five heartbeats");
    assert.equal(client.readyState, "open");
  });
});

onEveryEngineClient("closing", (setting) => {
  it("by the client", async () => {
    await using server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.client.close();
    assert.deepEqual(await heard, { client: "forced close", server: "transport close" });
  });

  it("by the client delivers what it sent before", async () => {
    await using server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.client.send("last");
    joined.client.close();
    await heard;
    assert.deepEqual(joined.atServer, ["last"]);
  });

  it("by the server", async () => {
    await using server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.session.close();
    assert.deepEqual(await heard, { client: "transport close", server: "forced close" });
  });

  it("by the server delivers what it sent before", async () => {
    await using server = await setting.start();
    const joined = await setting.joinFully(server);
    const heard = reasons(joined);
    joined.session.send("last");
    joined.session.close();
    await heard;
    assert.deepEqual(joined.atClient, ["last"]);
  });

  const byReset = async (): Promise<void> => {
    await using server = await setting.start();
    using proxy = await cuttableProxy(server.port);
    const joined = await setting.joinFully(server, `http://127.0.0.1:${proxy.port}`);
    await until(() => joined.session.transport.writable, "a poll to be parked");
    const heard = reasons(joined);
    proxy.reset();
    assert.deepEqual(await heard, { client: broken[setting.transport], server: broken[setting.transport] });
  };
  const isBehindProxy = front !== undefined && front !== "port";
  if (isBehindProxy && setting.mode === "polling")
    unsupported("by a TCP reset", "the proxy ends its connection to the server in order");
  else it("by a TCP reset", byReset);

  it("by a ping timeout", async () => {
    await using server = await setting.start(impatient);
    using proxy = await cuttableProxy(server.port);
    const joined = await setting.joinFully(server, `http://127.0.0.1:${proxy.port}`);
    const heard = reasons(joined);
    proxy.freeze();
    assert.deepEqual(await heard, { client: "ping timeout", server: "ping timeout" });
  });

  it("comes with an error if allowRequest refuses", async () => {
    await using server = await setting.start({ allowRequest: (_, decide) => decide("no", false) });
    const client = setting.open(server.url);
    await next(client, "error");
    assert.equal(client.readyState, "closed");
    assert.equal((await server.nextError()).code, 4);
  });
});
